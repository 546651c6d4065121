import { execFile } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./packed-manifest.ts";
import { COMMAND_DEPENDENCIES, stageCommand } from "./stage-command.ts";
import { stageLibrary } from "./stage-library.ts";
import { stageModule } from "./stage-module.ts";
import { writeDeclarations } from "./write-declarations.ts";

export { COMMAND_DEPENDENCIES };

/** What plug-ins and their tests import. The testkit's crashing disk is a disk of `files`. */
const LIBRARIES = ["packages/{sdk,files,testkit}", "packages/{connectors,transforms,loggers}/*"];
const MODULES = "modules/*";

/**
 * Packs everything that users and authors of plug-ins install into `directory`, which has to be
 * there. Gives the paths of the tarballs; the command's comes first. Nothing in the checkout
 * changes.
 */
export async function packPackages(directory: string): Promise<string[]> {
  const work = mkdtempSync(path.join(tmpdir(), "orgloop-pack-"));
  const staged: string[] = [];
  const stage = () => {
    const folder = path.join(work, String(staged.length));
    mkdirSync(folder);
    staged.push(folder);
    return folder;
  };
  try {
    await stageCommand(stage());
    const libraries = folders(LIBRARIES);
    const types = path.join(work, "types");
    mkdirSync(types);
    await writeDeclarations(libraries, types);
    for (const library of libraries) await stageLibrary(library, types, stage());
    for (const module of folders(MODULES)) stageModule(module, stage());
    return await npmPack(staged, directory);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Absolute paths of the packages that the patterns name. */
function folders(patterns: string | readonly string[]): string[] {
  const manifests = [patterns].flat().map((pattern) => `${pattern}/package.json`);
  const found = globSync(manifests, { cwd: ROOT }).sort();
  return found.map((manifest) => path.join(ROOT, path.dirname(manifest)));
}

async function npmPack(folders: readonly string[], directory: string): Promise<string[]> {
  const options = ["--json", "--ignore-scripts", "--pack-destination", directory];
  const { stdout } = await promisify(execFile)("npm", ["pack", ...options, ...folders]);
  const packed: readonly { filename: string }[] = Object.values(JSON.parse(stdout));
  return packed.map(({ filename }) => path.join(directory, filename));
}
