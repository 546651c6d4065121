import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import path from "node:path";

/** Makes a folder in `keepIn` for what these faults were found by; returns its path. */
export async function keepFault(
  keepIn: string,
  name: string,
  faults: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  await mkdir(keepIn, { recursive: true });
  const folder = await mkdtemp(path.join(path.resolve(keepIn), `${name}-`));
  await writeFile(path.join(folder, "faults.txt"), `${faults.join("\n")}\n`);
  await fill(folder);
  return folder;
}

/** Sets and maps as arrays. */
export const asJson = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, part) => (part instanceof Set || part instanceof Map ? [...part] : part),
    1,
  );
