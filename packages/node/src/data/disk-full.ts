/**
 * True where `error`, or what caused it, says that nothing more can be written: the disk or the
 * quota is full.
 */
export function isDiskFull(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ("code" in at && (at.code === "ENOSPC" || at.code === "EDQUOT")) return true;
  }
  return false;
}
