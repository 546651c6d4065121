import { readdirSync } from "node:fs";
import { join } from "node:path";
import { nearest, valueAt } from "@orgloop/engine";
import { hasCode, messageOf } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import { type SourceDocument, sourceDocument } from "../resolve/source-document.ts";
import { isWorkspaceName } from "../schema/fields.ts";
import type { ProjectFiles } from "./project-files.ts";
import { readDocument } from "./read-document.ts";

const FOLDER = "workspaces";
/** The workspace that needs no file. */
export const DEFAULT_WORKSPACE = "default";

/** A workspace that has a file. */
export interface WorkspaceFile {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

/** The files of `workspaces/`, by name. None where there is no such folder. */
export function workspaceFiles(projectDir: string): WorkspaceFile[] {
  const folder = join(projectDir, FOLDER);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
  return names
    .flatMap((entry) => {
      const name = /^([^.].*)\.ya?ml$/.exec(entry)?.[1];
      if (name === undefined || name.endsWith(".test")) return [];
      return [{ name, file: join(folder, entry) }];
    })
    .sort((left, right) => (left.file < right.file ? -1 : 1));
}

/**
 * The file of the workspace that is asked for; undefined for `default` without one. An unknown name
 * is an error.
 */
export function readWorkspace(
  manifest: SourceDocument,
  name: string,
  files: ProjectFiles,
  findings: Findings,
): SourceDocument | undefined {
  const refuse = (code: string, message: string, document = manifest) =>
    findings.errors.push({ document, path: [], at: "value", code, message });
  const unreadable = ({ file }: WorkspaceFile) =>
    sourceDocument(files.display(file), file, "", undefined, false);
  let found: WorkspaceFile[];
  try {
    found = workspaceFiles(files.root);
  } catch (error) {
    refuse("file", `${FOLDER}/ cannot be read: ${messageOf(error)}`);
    return undefined;
  }
  const [chosen, second] = found.filter((one) => one.name === name && isWorkspaceName(name));
  if (chosen === undefined) {
    if (name === DEFAULT_WORKSPACE) return undefined;
    const names = [...new Set([DEFAULT_WORKSPACE, ...found.map((one) => one.name)])];
    const near = nearest(name, names);
    const hint = near === undefined ? "" : `: did you mean "${near}"?`;
    const message = `there is no workspace "${name}"${hint || ";"} There are: ${names.join(", ")}`;
    refuse("unknown-workspace", hint ? message : message.replace("; There", "; there"));
    return undefined;
  }
  if (second !== undefined) {
    const two = [chosen, second].map(({ file }) => files.display(file)).join(" and ");
    const message = `the workspace "${name}" has two files: ${two}`;
    refuse("duplicate-name", message, unreadable(second));
  }
  let absolute: string;
  try {
    absolute = files.find(chosen.file, [files.root]);
  } catch (error) {
    refuse("file", messageOf(error), unreadable(chosen));
    return undefined;
  }
  const document = readDocument(files, absolute, findings);
  const says = valueAt(document.value, ["metadata", "name"]);
  if (typeof says === "string" && isWorkspaceName(says) && says !== name) {
    const path = ["metadata", "name"];
    const message = `a workspace has the name of its file: expected "${name}", found "${says}"`;
    findings.errors.push({ document, path, at: "value", code: "wrong-name", message });
  }
  return document;
}
