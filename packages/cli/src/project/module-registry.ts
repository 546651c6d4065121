import { readFile } from "node:fs/promises";
import path from "node:path";
import { replaceFile } from "@orgloop/files";
import type { ProjectRequest } from "@orgloop/node";

/** A project that the daemon was told to run (v1alpha1, section 11: `modules.json`). */
export interface RegisteredModule {
  readonly name: string;
  /** Absolute. */
  readonly sourceDir: string;
  /** Absolute: the manifest, or its directory. */
  readonly configPath: string;
  readonly workspace: string;
  /**
   * Ids of its sources: their webhooks are answered 503 while it cannot be read. Absent: an older
   * release wrote it.
   */
  readonly sources?: readonly string[];
  /** ISO 8601, UTC. */
  readonly loadedAt: string;
}

const registryFile = (home: string) => path.join(home, "modules.json");

/** What the last daemon was told to run; nothing where there is no such file, or another kind. */
export async function readRegistry(home: string): Promise<readonly RegisteredModule[]> {
  try {
    const { modules } = JSON.parse(await readFile(registryFile(home), "utf8"));
    return Array.isArray(modules) ? modules.filter(isModule) : [];
  } catch {
    return [];
  }
}

export function writeRegistry(home: string, modules: readonly RegisteredModule[]): Promise<void> {
  return replaceFile(registryFile(home), `${JSON.stringify({ modules }, null, 2)}\n`);
}

export function requestOf({ sourceDir, configPath, workspace }: RegisteredModule): ProjectRequest {
  return { projectDir: sourceDir, configPath, ...(workspace !== undefined && { workspace }) };
}

function isModule(value: unknown): value is RegisteredModule {
  if (typeof value !== "object" || value === null) return false;
  const { name, sourceDir, configPath } = value as Partial<RegisteredModule>;
  return [name, sourceDir, configPath].every((one) => typeof one === "string");
}
