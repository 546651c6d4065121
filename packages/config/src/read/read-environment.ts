import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeUtf8, hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";
import { parseDotenv } from "./parse-dotenv.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The project's `.env` with `processEnv` over it: the shell wins (v1alpha1, section 1). Throws
 * `NOT_UTF8`.
 */
export function readEnvironment(projectDir: string, processEnv: Environment): Environment {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(projectDir, ".env"));
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "EISDIR")) return processEnv;
    throw error;
  }
  const set = Object.entries(processEnv).filter(([, value]) => value !== undefined);
  return { ...parseDotenv(textOf(bytes)), ...Object.fromEntries(set) };
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (cause) {
    throw new OrgLoopError("NOT_UTF8", `.env: ${messageOf(cause)}`, { cause });
  }
}
