import { existsSync, lstatSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { CommandError } from "../command-error.ts";
import type { Output } from "../terminal/output.ts";
import {
  installPackage,
  PACKAGE_FILES,
  type PackageManager,
  packageManagerOf,
  syncPackages,
} from "./install-package.ts";
import { keepFiles } from "./kept-files.ts";
import { installedFolder, type WantedModule } from "./module-folder.ts";

/** A module's package in `node_modules`. */
export interface InstalledModule {
  readonly folder: string;
  /** The package manager that installed it; null where it was there already. */
  readonly manager: string | null;
  /** Makes package.json, the lock file and `node_modules` what they were. */
  undo(): Promise<void>;
}

/**
 * Installs a package with the user's own package manager, unless it is there. Throws
 * `NOT_INSTALLED`; then all is as it was.
 */
export async function installModule(
  projectDir: string,
  { name, version }: Extract<WantedModule, { kind: "package" }>,
  output: Output,
  signal: AbortSignal,
): Promise<InstalledModule> {
  const manager = packageManagerOf(projectDir);
  const present = installedFolder(projectDir, name);
  if (present !== null && version === "" && isOwn(present, name, manager)) {
    return { folder: present, manager: null, undo: async () => {} };
  }
  const files = manager.folders.flatMap((folder) =>
    PACKAGE_FILES.map((file) => path.join(folder, file)),
  );
  const kept = keepFiles(files);
  const modules = path.join(manager.directory, "node_modules");
  const hadModules = existsSync(modules);
  const undo = async () => {
    kept.restore();
    if (!hadModules) return rmSync(modules, { recursive: true, force: true });
    await syncPackages(manager).catch((error) => {
      output.warn(`${modules} could not be made what it was: ${error.message}`);
    });
    // Where there was no lock file, it has just written one.
    kept.restore();
  };
  output.note(`Installing ${name}${version} with ${manager.name} ...`);
  try {
    await installPackage(manager, `${name}${version}`, signal);
  } catch (error) {
    kept.restore();
    if (!hadModules) rmSync(modules, { recursive: true, force: true });
    throw error;
  }
  const folder = installedFolder(projectDir, name);
  if (folder !== null) return { folder, manager: manager.name, undo };
  await undo();
  const hint = manager.name === "yarn" ? ": set nodeLinker: node-modules" : "";
  throw new CommandError(
    "NOT_INSTALLED",
    `${manager.name} installed ${name}, but it is in no node_modules of ${projectDir}${hint}`,
  );
}

/** Whether the project asks for it itself, rather than finding what another package brought. */
function isOwn(folder: string, name: string, { directory }: PackageManager): boolean {
  if (lstatSync(folder).isSymbolicLink()) return true;
  const manifest = path.join(directory, "package.json");
  if (!existsSync(manifest)) return false;
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(manifest, "utf8"),
  );
  return Object.hasOwn({ ...optionalDependencies, ...devDependencies, ...dependencies }, name);
}
