import { rename, writeFile } from "node:fs/promises";

/** Replaces a file's text, so that a reader sees the old one or the new one. */
export async function replaceText(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}
