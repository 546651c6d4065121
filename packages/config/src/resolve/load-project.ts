import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { messageOf, type PluginLookup } from "@orgloop/sdk";
import { findManifest } from "../read/find-manifest.ts";
import { type ProjectFiles, projectFiles } from "../read/project-files.ts";
import { readDocument } from "../read/read-document.ts";
import { type Environment, readEnvironment } from "../read/read-environment.ts";
import { readProjectFiles } from "../read/read-project-files.ts";
import { DEFAULT_WORKSPACE } from "../read/read-workspace.ts";
import { validateUserConfig } from "../schema/validate-document.ts";
import type { Findings } from "./findings.ts";
import { finishLoad, type LoadedProject, resolveProject } from "./resolve-project.ts";
import { type SourceDocument, sourceDocument } from "./source-document.ts";

export interface LoadOptions {
  /** The project's directory, or its manifest. */
  readonly path: string;
  /** A file of `workspaces/`; `default` (the default) needs none. */
  readonly workspace?: string;
  /** The environment of the process; the project's `.env` is read below it. */
  readonly env: Environment;
  /** Finds packages; without it no `config` is checked against its package. */
  readonly lookup?: PluginLookup;
  /**
   * Checks the files of the other workspaces as well; what is wrong in one of them is an error of
   * the load.
   */
  readonly everyWorkspace?: boolean;
}

/**
 * Reads a project and resolves it to a Topology. Never throws for what stands in the files: every
 * problem of the load is in `errors` and `warnings`, at its place.
 */
export async function loadProject(options: LoadOptions): Promise<LoadedProject> {
  const { projectDir, manifestFile } = findManifest(options.path);
  const workspaceName = options.workspace ?? DEFAULT_WORKSPACE;
  const findings: Findings = { errors: [], warnings: [] };

  if (!existsSync(manifestFile)) {
    const document = sourceDocument(basename(manifestFile), manifestFile, "", undefined, false);
    const message = `there is no ${basename(manifestFile)} in ${projectDir}: run orgloop init, or name the project with --config`;
    findings.errors.push({ document, path: [], at: "value", code: "no-project", message });
    const places = { projectDir, manifestFile, documents: [], settings: [] };
    const nothing = { topology: null, routes: [], allowPrivate: null };
    return finishLoad(
      { ...places, ...nothing, env: options.env, modules: [], declarations: {} },
      findings,
    );
  }

  const env = environment(projectDir, options.env, findings);
  const files = projectFiles(projectDir);
  const user = userConfig(env, files, findings);
  const read = readProjectFiles(manifestFile, workspaceName, files, findings);
  const { lookup, everyWorkspace } = options;
  const named = { projectDir, manifestFile, workspaceName };
  const processEnv = options.env;
  const input = { ...named, read, user, files, env, processEnv, lookup, everyWorkspace };
  return resolveProject(input, findings);
}

function environment(projectDir: string, processEnv: Environment, findings: Findings): Environment {
  try {
    return readEnvironment(projectDir, processEnv);
  } catch (error) {
    const document = sourceDocument(".env", join(projectDir, ".env"), "", undefined, false);
    const message = `cannot be read: ${messageOf(error)}`;
    findings.errors.push({ document, path: [], at: "value", code: "unreadable", message });
    return processEnv;
  }
}

/** `ORGLOOP_HOME`, or `~/.orgloop`; absolute. */
const homeOf = (env: Environment) =>
  resolve(env.ORGLOOP_HOME || join(env.HOME || homedir(), ".orgloop"));

/** `~/.orgloop/config.yaml`, whose defaults lie below the project's (v1alpha1, section 1). */
function userConfig(
  env: Environment,
  files: ProjectFiles,
  findings: Findings,
): SourceDocument | undefined {
  const file = join(homeOf(env), "config.yaml");
  if (!existsSync(file)) return undefined;
  const document = readDocument(files, file, findings);
  validateUserConfig(document, findings);
  return document;
}
