import { readFileSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Whether the bundle in `dist` is of the sources below `root` as they are now: a checkout's change after it was made.
 *
 * @param {string} dist
 * @param {string} root
 */
export function isCurrent(dist, root) {
  try {
    const sources = JSON.parse(readFileSync(path.join(dist, "sources.json"), "utf8"));
    return Object.entries(sources).every(
      ([file, changed]) => statSync(path.join(root, file)).mtimeMs === changed,
    );
  } catch {
    return false;
  }
}
