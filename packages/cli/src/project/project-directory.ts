import { realpathSync, statSync } from "node:fs";
import path from "node:path";

/** The project's directory: the one that was named, or the one of the file that was. */
export function projectDirectory(config: string): string {
  const isFile = statSync(config, { throwIfNoEntry: false })?.isFile() ?? /\.ya?ml$/.test(config);
  return isFile ? path.dirname(config) : config;
}

/** The same without symbolic links; as it is where it does not exist. */
export function realProjectDirectory(config: string): string {
  const directory = projectDirectory(config);
  try {
    return realpathSync(directory);
  } catch {
    return path.resolve(directory);
  }
}
