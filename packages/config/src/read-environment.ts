import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "@orgloop/sdk";
import { parseDotenv } from "./parse-dotenv.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The project's `.env` with `processEnv` over it: the shell wins (v1alpha1, section 1). */
export function readEnvironment(projectDir: string, processEnv: Environment): Environment {
  let text: string;
  try {
    text = readFileSync(join(projectDir, ".env"), "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "EISDIR")) return processEnv;
    throw error;
  }
  const set = Object.entries(processEnv).filter(([, value]) => value !== undefined);
  return { ...parseDotenv(text), ...Object.fromEntries(set) };
}
