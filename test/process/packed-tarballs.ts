import { globSync } from "node:fs";
import path from "node:path";

/** The tarballs of all packages, which the set-up packed. Absolute paths. */
export function packedTarballs(): readonly string[] {
  const folder = process.env.ORGLOOP_PACKED;
  if (folder === undefined) throw new Error("nothing was packed: this needs install-command.ts");
  return globSync("*.tgz", { cwd: folder }).map((file) => path.join(folder, file));
}
