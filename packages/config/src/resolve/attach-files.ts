import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { type DocumentPath, valueAt } from "@orgloop/engine";
import { messageOf, type PromptSpec } from "@orgloop/sdk";
import { checkTemplate, madeRoots } from "../check/check-templates.ts";
import { warnUnfilled } from "../check/check-unfilled.ts";
import { PROMPT_ROOTS } from "../check/unknown-root.ts";
import type { ProjectFiles } from "../read/project-files.ts";
import { splitPrompt, unixText } from "../read/read-prompt.ts";
import type { Attachments, Script } from "./build-topology.ts";
import { at, type Declaration, type LinkedDeclarations } from "./declarations.ts";
import type { Findings } from "./findings.ts";
import type { Scope } from "./scope.ts";
import { type Layer, sourceDocument } from "./source-document.ts";

/**
 * The file that `written` names: beside the file that says so, then from the root of the project, or of the module. What a
 * parameter of a module names may be the project's: beside the use, then from the root.
 */
function findFile(
  written: string,
  { document, path }: Layer,
  { instance }: Scope,
  project: ProjectFiles,
): { absolute: string; files: ProjectFiles } {
  if (instance === null || document.instance === undefined) {
    const absolute = project.find(written, [dirname(document.absolute), project.root]);
    return { absolute, files: project };
  }
  const { files, path: modulePath } = instance.module;
  const from = [dirname(document.absolute), files.root];
  if (written.startsWith(`${modulePath}/`)) from.push(project.root);
  const use = document.instance.fromUse(path);
  try {
    return { absolute: files.find(written, from), files };
  } catch (error) {
    if (use === null) throw error;
    return findFile(written, use, instance.outer, project);
  }
}

/**
 * Finds and reads every route's prompt file and every transform's script: beside the file that names it, then from the
 * project's root. Files that are missing, no files or outside the project are errors where they are named.
 */
export function attachFiles(
  declarations: LinkedDeclarations,
  files: ProjectFiles,
  findings: Findings,
): Attachments {
  const prompts = new Map<Declaration, PromptSpec>();
  const scripts = new Map<Declaration, Script>();
  const read = new Map<string, PromptSpec>();

  const attempt = (
    item: Declaration,
    path: DocumentPath,
    written: unknown,
    attach: (file: { absolute: string; files: ProjectFiles }) => void,
  ) => {
    if (!item.enabled || typeof written !== "string" || written === "") return;
    try {
      const place = at(item, path);
      attach(findFile(written, place, item.scope, files));
    } catch (error) {
      findings.errors.push({ ...at(item, path), code: "file", message: messageOf(error) });
    }
  };

  const promptRoots = new Set([...PROMPT_ROOTS, ...madeRoots(declarations.transform)]);
  const path = ["with", "prompt_file"];
  for (const route of declarations.route) {
    attempt(route, path, valueAt(route.value, path), ({ absolute, files: whose }) => {
      let prompt = read.get(absolute);
      if (prompt === undefined) {
        const file = whose.display(absolute);
        const written = whose.read(absolute);
        const { text, start, meta, problem } = splitPrompt(written);
        prompt = { file, text, meta };
        read.set(absolute, prompt);
        if (meta?.interpolate !== false && text.includes("{{")) {
          const document = sourceDocument(file, absolute, unixText(written), undefined, false);
          const place = { document, path: [] };
          const offsetOf = (_: string, offset: number) => start + offset;
          if (meta?.interpolate === true) {
            checkTemplate(text, place, offsetOf, promptRoots, findings);
          } else warnUnfilled(text, place, offsetOf, findings, promptRoots);
        }
        if (problem !== undefined) {
          findings.warnings.push({
            ...at(route, path),
            code: "front-matter",
            message: `what stands between --- in ${prompt.file} is not read as front matter: ${problem}`,
          });
        }
      }
      prompts.set(route, prompt);
    });
  }
  for (const transform of declarations.transform) {
    if (transform.value.type !== "script") continue;
    attempt(transform, ["script"], transform.value.script, ({ absolute, files: whose }) => {
      const script = whose.display(absolute);
      scripts.set(transform, { script, script_sha256: whose.sha256(absolute) });
      try {
        accessSync(absolute, constants.X_OK);
      } catch {
        findings.warnings.push({
          ...at(transform, ["script"]),
          code: "not-executable",
          message: `${script} is not executable: run chmod +x ${script}`,
        });
      }
    });
  }
  return { prompts, scripts };
}
