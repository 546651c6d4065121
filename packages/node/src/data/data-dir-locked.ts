import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * True where a process holds the data directory (`lockDirectory` in stores). Takes nothing itself:
 * asking must not get in the way of one that starts. Not for a directory that this process holds.
 */
export async function isDataDirLocked(dataDir: string): Promise<boolean> {
  const file = join(dataDir, "lock.db");
  if (!existsSync(file)) return false;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  try {
    database.exec("SELECT count(*) FROM sqlite_schema");
    return false;
  } catch {
    return true;
  } finally {
    database.close();
  }
}
