import { dirname } from "node:path";
import { type FileSystem, nodeFileSystem, writeFully } from "./file-system.ts";

let replacements = 0;

/**
 * Replaces a file atomically: whoever reads it, also after a power cut, finds the old contents or
 * the new ones. Resolves when the new ones are durable. Its directory must exist. A crash may leave
 * a `*.tmp` beside it, which nobody reads. Rejects with the code of the operating system; the old
 * contents stand then.
 */
export async function replaceFile(
  path: string,
  contents: string | Uint8Array,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  replacements += 1;
  const temporary = `${path}.${process.pid}-${replacements}.tmp`;
  try {
    await writeNew(temporary, contents, fileSystem);
    await fileSystem.rename(temporary, path);
  } catch (error) {
    await fileSystem.remove(temporary).catch(() => undefined);
    throw error;
  }
  await fileSystem.syncDirectory(dirname(path));
}

async function writeNew(
  path: string,
  contents: string | Uint8Array,
  fileSystem: FileSystem,
): Promise<void> {
  const bytes = typeof contents === "string" ? Buffer.from(contents) : contents;
  const file = await fileSystem.open(path, "replace");
  try {
    await writeFully(file, bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}
