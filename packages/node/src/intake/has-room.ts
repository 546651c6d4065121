import { join } from "node:path";
import { type FileSystem, writeFully } from "@orgloop/files";

/** As much as a usual event needs many times over; a kill leaves it for `removeTemporaries`. */
const ROOM = Buffer.alloc(65_536);

/** True where something can be written to a directory, which must be held (`lockDirectory`). */
export async function hasRoom(dir: string, fileSystem: FileSystem): Promise<boolean> {
  const path = join(dir, `room.${process.pid}-0.tmp`);
  try {
    const file = await fileSystem.open(path, "replace");
    try {
      await writeFully(file, ROOM, 0);
      await file.sync();
      return true;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  } finally {
    await fileSystem.remove(path).catch(() => undefined);
  }
}
