import { rename, stat, writeFile } from "node:fs/promises";

/**
 * Replaces a file's text, so that a reader sees the old one or the new one; a new file is its
 * owner's alone.
 */
export async function replaceText(file: string, text: string): Promise<void> {
  const { mode = 0o600 } = (await stat(file).catch(() => null)) ?? {};
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: mode & 0o777 });
  await rename(temporary, file);
}
