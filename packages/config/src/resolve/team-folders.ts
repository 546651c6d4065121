import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { valueAt } from "@orgloop/engine";
import { hasCode, messageOf } from "@orgloop/sdk";
import type { ProjectFiles } from "../read/project-files.ts";
import { FORBIDDEN_KEYS } from "../read/yaml/forbidden-keys.ts";
import type { Findings } from "./findings.ts";
import type { SourceDocument } from "./source-document.ts";

const DEFAULT_FOLDER = "teams";
const TEAM_NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;
/** Folders nested deeper than this are refused. */
const MAX_DEPTH = 16;

/** The files of one team. */
export interface TeamFolder {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** `team.yaml`, absolute; undefined where there is none. */
  readonly manifest: string | undefined;
  /** Absolute, in the order of their names. */
  readonly files: readonly string[];
}

/**
 * The teams of a project, by name: the folders in `teams/`, or in the folder that the manifest
 * names.
 */
export function teamFolders(
  manifest: SourceDocument,
  files: ProjectFiles,
  findings: Findings,
): TeamFolder[] {
  const written = valueAt(manifest.value, ["teams"]);
  const named = typeof written === "string" && written !== "" && !written.includes("${");
  const path = written === undefined ? [] : ["teams"];
  const refuse = (code: string, message: string) =>
    findings.errors.push({ document: manifest, path, at: "value", code, message });
  try {
    const folder = files.folder(named ? written : DEFAULT_FOLDER);
    if (folder === undefined) {
      if (named) refuse("file", `there is no folder "${written}"`);
      return [];
    }
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .sort()
      .flatMap((name) => {
        if (TEAM_NAME.test(name) && !FORBIDDEN_KEYS.has(name)) {
          return [teamFolder(name, join(folder, name), files)];
        }
        refuse("team-name", `"${name}" cannot be a team: a name has letters, digits, -, _ and .`);
        return [];
      });
  } catch (error) {
    refuse("file", messageOf(error));
    return [];
  }
}

function teamFolder(name: string, folder: string, files: ProjectFiles): TeamFolder {
  const found = yamlFiles(folder, files);
  const manifest = found.find((file) => /^team\.ya?ml$/.test(file.slice(folder.length + 1)));
  return { name, folder, manifest, files: found.filter((file) => file !== manifest) };
}

/**
 * Every configuration file below `folder`: no tests, nothing of a module or a package
 * (`docs/configuration.md`, Files).
 */
export function yamlFiles(folder: string, files: ProjectFiles, depth = 0): string[] {
  if (depth > MAX_DEPTH) throw new Error(`${files.display(folder)} is nested too deep`);
  let entries: ReturnType<typeof list>;
  try {
    entries = list(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
  return entries.flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith(".") || name === "node_modules") return [];
    if (/\.ya?ml$/.test(name)) {
      return /\.test\.ya?ml$/.test(name) ? [] : [files.find(path, [files.root])];
    }
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
    if (existsSync(join(path, "orgloop-module.yaml"))) return [];
    return files.folder(path) === undefined ? [] : yamlFiles(path, files, depth + 1);
  });
}

const list = (folder: string) => readdirSync(folder).sort();
