import { existsSync } from "node:fs";
import path from "node:path";
import { DEFAULT_WORKSPACE, findManifest, workspaceFiles } from "@orgloop/config";
import { suggestion } from "@orgloop/engine";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { selectedWorkspace } from "./selected-workspace.ts";

export interface KnownWorkspace {
  readonly name: string;
  /** Whether commands mean it where none is named. */
  readonly current: boolean;
  /** Relative to the project, with `/`; null for `default` without one, and where it is gone. */
  readonly file: string | null;
}

export interface KnownWorkspaces {
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute. */
  readonly manifestFile: string;
  /** What is selected, whatever `--workspace` says. */
  readonly selected: string;
  /** `default` first, then by name; what is selected is among them also where its file is gone. */
  readonly workspaces: readonly KnownWorkspace[];
}

/** The workspaces of the project, whether its files are valid or not. Throws `NO_PROJECT`. */
export function knownWorkspaces({ flags, home }: CommandContext): KnownWorkspaces {
  const { projectDir, manifestFile } = findManifest(flags.config);
  if (!existsSync(manifestFile)) {
    const message = `there is no ${path.basename(manifestFile)} in ${projectDir}: run orgloop init, or name the project with --config`;
    throw new CommandError("NO_PROJECT", message, { exitStatus: 2 });
  }
  const selected = selectedWorkspace(home, flags.config);
  const files = new Map(
    workspaceFiles(projectDir).map(({ name, file }) => [
      name,
      path.relative(projectDir, file).split(path.sep).join("/"),
    ]),
  );
  const others = new Set([...files.keys(), selected]);
  others.delete(DEFAULT_WORKSPACE);
  const workspaces = [DEFAULT_WORKSPACE, ...[...others].sort()].map((name) => ({
    name,
    current: name === selected,
    file: files.get(name) ?? null,
  }));
  return { projectDir, manifestFile, selected, workspaces };
}

/** The workspace of that name. Throws `NOT_FOUND`, with the nearest name. */
export function findWorkspace({ workspaces }: KnownWorkspaces, name: string): KnownWorkspace {
  const found = workspaces.find((one) => one.name === name);
  if (found !== undefined && (found.file !== null || name === DEFAULT_WORKSPACE)) return found;
  const names = workspaces.filter((one) => one !== found).map((one) => one.name);
  const message = `there is no workspace "${name}"${suggestion(name, names, "workspaces")}`;
  throw new CommandError("NOT_FOUND", message);
}
