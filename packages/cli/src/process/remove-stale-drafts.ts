import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { isAlive } from "./running-process.ts";

/** What `replaceFile`, the token and the selection call the file that takes another's place. */
const DRAFT = /\.(\d+)(?:-\d+)?\.tmp$/;

/**
 * Removes what a kill has left of files that were to take another's place in `$ORGLOOP_HOME`: of
 * processes that are gone.
 */
export async function removeStaleDrafts(home: string): Promise<void> {
  for (const dir of [home, path.join(home, "selected-workspaces")]) {
    for (const name of await readdir(dir).catch(() => [])) {
      const [, pid] = DRAFT.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid)))
        await rm(path.join(dir, name), { force: true });
    }
  }
}
