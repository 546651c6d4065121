import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";

/** Files as they were, to be put back. */
export interface KeptFiles {
  /** Puts every file back, byte for byte; one that was not there goes. */
  restore(): void;
}

/** Remembers files; reads them whole. */
export function keepFiles(files: readonly string[]): KeptFiles {
  const kept = files.map((file) => {
    if (!existsSync(file)) return { file, before: null };
    return { file, before: { bytes: readFileSync(file), mode: statSync(file).mode } };
  });
  return {
    restore() {
      for (const { file, before } of kept) {
        if (before === null) rmSync(file, { force: true });
        else if (!existsSync(file) || !readFileSync(file).equals(before.bytes)) {
          writeFileSync(file, before.bytes, { mode: before.mode });
        }
      }
    },
  };
}
