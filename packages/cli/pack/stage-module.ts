import { cpSync } from "node:fs";
import path from "node:path";
import { packedManifest, readManifest } from "./packed-manifest.ts";
import { writeStaged } from "./write-staged.ts";

/** Fills the empty folder `staged` with a module of YAML and prompts, as they stand. */
export function stageModule(directory: string, staged: string): void {
  const { files, exports } = readManifest(directory);
  for (const part of files as string[]) {
    cpSync(path.join(directory, part), path.join(staged, part), { recursive: true });
  }
  writeStaged(staged, directory, packedManifest(directory, { files, exports }));
}
