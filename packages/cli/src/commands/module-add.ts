import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LoadedProject, ModuleInstance } from "@orgloop/config";
import { valueAt } from "@orgloop/engine";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { addModuleUse } from "../modules/add-module-use.ts";
import { type InstalledModule, installModule } from "../modules/install-module.ts";
import { itemCounts } from "../modules/item-counts.ts";
import { keepFiles } from "../modules/kept-files.ts";
import { moduleParameters, wantedModule } from "../modules/module-folder.ts";
import { missingParams, moduleParams } from "../modules/module-params.ts";
import { problemLine, readProject, readValidProject } from "../project/read-project.ts";

export interface ModuleAddOptions {
  readonly name?: string;
  readonly param?: readonly string[];
  readonly team?: string;
}

/**
 * `orgloop module add PACKAGE|PATH`: installs a package with the user's own package manager, writes
 * the use into the manifest (or a team's), and checks the configuration. Where anything fails,
 * everything is as it was.
 */
export const moduleAdd: Command<ModuleAddOptions> = async (context, [text = ""], options) => {
  const { output } = context;
  const before = await readValidProject(context, { plugins: true });
  const projectDir = realpathSync(before.projectDir);
  const manifest = manifestOf(before, options.team);
  const wanted = wantedModule(text, projectDir);
  const interrupted = interruption();
  const installed: InstalledModule =
    wanted.kind === "package"
      ? await installModule(projectDir, wanted, output, interrupted)
      : { folder: realpathSync(wanted.folder), manager: null, undo: async () => {} };
  const kept = keepFiles([manifest]);
  try {
    const declared = moduleParameters(installed.folder);
    const params = moduleParams(options.param ?? [], declared);
    const use = {
      package:
        wanted.kind === "package"
          ? wanted.name
          : writtenPath(installed.folder, manifest, projectDir),
      ...(options.name !== undefined && { name: options.name }),
      ...(Object.keys(params).length > 0 && { params }),
    };
    replace(manifest, addModuleUse(readFileSync(manifest, "utf8"), use));
    const after = await readProject(context, { plugins: true });
    if (interrupted.aborted) throw new CommandError("INTERRUPTED", "everything is as it was");
    if (after.errors.length > 0) throw notFitting(after, missingParams(declared, params));
    const reported = new Set(before.warnings.map(({ code, message }) => `${code} ${message}`));
    for (const warning of after.warnings) {
      if (!reported.has(`${warning.code} ${warning.message}`)) output.warn(problemLine(warning));
    }
    const instance = newInstance(before, after);
    const { name, module, use: at, items } = instance;
    const version = module.version === null ? "" : ` ${module.version}`;
    output.result(
      { instance, installed: installed.manager && { package: text, with: installed.manager } },
      [
        `Added ${name} (module ${module.name}${version}) at ${at.file}:${at.line}: ${itemCounts(items)}`,
        `\`orgloop module show ${name}\` shows what it expands to, \`orgloop plan\` what would change.`,
      ].join("\n"),
    );
    return 0;
  } catch (error) {
    kept.restore();
    await installed.undo();
    throw error;
  }
};

/**
 * Aborted by the first Ctrl-C: what was done is then undone. A second one ends the command at once.
 */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => (controller.signal.aborted ? process.exit(1) : controller.abort());
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

/** The file that the use goes into. Absolute. */
function manifestOf({ manifestFile, provenance }: LoadedProject, team: string | undefined): string {
  if (team === undefined) return realpathSync(manifestFile);
  const teams = new Map(
    [...provenance.documents.values()]
      .filter(({ value }) => valueAt(value, ["kind"]) === "Team")
      .map(({ absolute }) => [path.basename(path.dirname(absolute)), absolute]),
  );
  const file = teams.get(team);
  if (file !== undefined) return realpathSync(file);
  const there = teams.size === 0 ? "there are none" : `there are: ${[...teams.keys()].join(", ")}`;
  throw new CommandError("NOT_FOUND", `there is no team "${team}" with a team.yaml; ${there}`);
}

/**
 * A folder as the manifest names it: from the manifest's own folder. Throws `OUTSIDE` for one out
 * of the project.
 */
function writtenPath(folder: string, manifest: string, projectDir: string): string {
  if (!folder.startsWith(projectDir + path.sep)) {
    throw new CommandError(
      "OUTSIDE",
      `${folder} is outside the project: copy the module into it, or install it as a package`,
    );
  }
  const relative = path.relative(path.dirname(manifest), folder).split(path.sep).join("/");
  return relative.startsWith("../") ? relative : `./${relative}`;
}

/** Whoever reads the file meanwhile finds the old text or the new one. */
function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, text, { mode: statSync(file).mode });
  renameSync(draft, file);
}

function notFitting({ errors }: LoadedProject, missing: readonly string[]): CommandError {
  const lines = errors.slice(0, 20).map((problem) => `  ${problemLine(problem)}`);
  const needs = missing.length === 0 ? [] : ["it needs:", ...missing];
  const message = "the module does not fit as it was to be added; everything is as it was:";
  return new CommandError("MODULE_REFUSED", [message, ...lines, ...needs].join("\n"));
}

function newInstance(before: LoadedProject, after: LoadedProject): ModuleInstance {
  const known = new Set(before.instances.map(({ name }) => name));
  const found = after.instances.find(({ name }) => !known.has(name));
  if (found === undefined) {
    // It is switched off by the workspace: there is nothing to show of it.
    throw new CommandError("MODULE_REFUSED", "the workspace switches this instance off");
  }
  return found;
}
