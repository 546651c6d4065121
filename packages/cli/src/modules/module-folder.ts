import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { CommandError } from "../command-error.ts";
import type { DeclaredParameter } from "./module-params.ts";

const MANIFEST = "orgloop-module.yaml";
/** A package, perhaps with a version; nothing that a package manager would take for a flag. */
const PACKAGE = /^((?:@[a-z0-9][\w.~-]*\/)?[a-z0-9][\w.~-]*)(@[\w.^~<>=*-]+)?$/i;

/** What `module add` was given. */
export type WantedModule =
  | { readonly kind: "folder" /** Absolute. */; readonly folder: string }
  | {
      readonly kind: "package";
      readonly name: string;
      /** `@VERSION`, or empty. */
      readonly version: string;
    };

/** A folder begins with `.` or `/`; everything else is a package. Throws `USAGE`, `NOT_FOUND`. */
export function wantedModule(text: string, projectDir: string): WantedModule {
  if (/^\.{0,2}[/\\]|^\.{1,2}$/.test(text)) {
    // From the working directory, as a shell has it; from the project where that leads out of it.
    const [here, inProject] = [path.resolve(text), path.resolve(projectDir, text)];
    const folders = here.startsWith(projectDir + path.sep) ? [here, inProject] : [inProject, here];
    const folder = folders.find((one) => existsSync(path.join(one, MANIFEST)));
    if (folder !== undefined) return { kind: "folder", folder };
    const there = folders.find((one) => statSync(one, { throwIfNoEntry: false })?.isDirectory());
    const why = there === undefined ? "there is no such folder" : `it has no ${MANIFEST}`;
    throw new CommandError("NOT_FOUND", `${text} is no module: ${why}`);
  }
  const [, name, version = ""] = PACKAGE.exec(text) ?? [];
  if (name !== undefined) return { kind: "package", name, version };
  const message = `"${text}" is neither a package, such as @acme/review or @acme/review@1.2.0, nor a folder, such as ./modules/review`;
  throw new CommandError("USAGE", message);
}

/** Where a package is installed, from the project upwards; null where it is not. */
export function installedFolder(projectDir: string, name: string): string | null {
  for (let at = projectDir; ; at = path.dirname(at)) {
    const folder = path.join(at, "node_modules", name);
    if (existsSync(folder)) return folder;
    if (path.dirname(at) === at) return null;
  }
}

/**
 * What of a module's manifest is needed before it is wired. Errors in it are the configuration's to
 * tell.
 */
export function moduleParameters(folder: string): readonly DeclaredParameter[] {
  try {
    const { parameters } = parse(readFileSync(path.join(folder, MANIFEST), "utf8")) ?? {};
    return Array.isArray(parameters)
      ? parameters.filter((one) => typeof one?.name === "string")
      : [];
  } catch {
    return [];
  }
}
