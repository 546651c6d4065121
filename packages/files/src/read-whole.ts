import type { FileSystem } from "./file-system.ts";

/** A small file as text. */
export async function readWhole(path: string, fileSystem: FileSystem): Promise<string> {
  const file = await fileSystem.open(path, "read");
  try {
    const bytes = Buffer.alloc(await file.size());
    let length = 0;
    while (length < bytes.length) {
      const count = await file.read(bytes.subarray(length), length);
      if (count === 0) break;
      length += count;
    }
    return bytes.toString("utf8", 0, length);
  } finally {
    await file.close();
  }
}
