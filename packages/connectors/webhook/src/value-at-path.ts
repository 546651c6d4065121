import { getPath, isPath, splitPath } from "@orgloop/sdk";

/** The value at a dot path, undefined where there is none or the path is none. */
export function valueAtPath(root: unknown, path: string): unknown {
  return isPath(path) ? getPath(root, splitPath(path)) : undefined;
}
