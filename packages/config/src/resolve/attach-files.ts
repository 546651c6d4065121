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
import { type FoundSchema, readSchemas } from "./read-schemas.ts";
import type { Scope } from "./scope.ts";
import { type Layer, sourceDocument } from "./source-document.ts";

/**
 * The file that `written` names: beside the file that says so, then from the root of the project,
 * or of the module. What a parameter of a module names may be the project's: beside the use, then
 * from the root.
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
 * Finds and reads every route's prompt file, every transform's script and every source's schemas:
 * beside the file that names it, then from the project's root. Files that are missing, no files or
 * outside the project are errors where they are named.
 */
export async function attachFiles(
  declarations: LinkedDeclarations,
  files: ProjectFiles,
  findings: Findings,
): Promise<Attachments> {
  const prompts = new Map<Declaration, PromptSpec>();
  const scripts = new Map<Declaration, Script>();

  const attempt = (item: Declaration, path: DocumentPath, attach: (file: FoundFile) => void) => {
    const written = valueAt(item.value, path);
    if (!item.enabled || typeof written !== "string" || written === "") return;
    try {
      const place = at(item, path);
      attach(findFile(written, place, item.scope, files));
    } catch (error) {
      findings.errors.push({ ...at(item, path), code: "file", message: messageOf(error) });
    }
  };

  const readPrompt = promptReader(
    new Set([...PROMPT_ROOTS, ...madeRoots(declarations.transform)]),
    findings,
  );
  const path = ["with", "prompt_file"];
  for (const route of declarations.route) {
    attempt(route, path, (file) => void prompts.set(route, readPrompt(file, at(route, path))));
  }
  for (const transform of declarations.transform) {
    if (transform.value.type !== "script") continue;
    attempt(transform, ["script"], ({ absolute, files: whose }) => {
      const script = whose.display(absolute);
      scripts.set(transform, { script, script_sha256: whose.sha256(absolute) });
      warnUnlessExecutable(absolute, script, at(transform, ["script"]), findings);
    });
  }
  const found: FoundSchema[] = [];
  for (const source of declarations.source) {
    for (const key of Object.keys(source.value.schemas ?? {})) {
      const path = ["schemas", key];
      attempt(source, path, (file) => void found.push({ source, key, ...file }));
    }
  }
  return { prompts, scripts, schemas: await readSchemas(found, findings) };
}

type FoundFile = ReturnType<typeof findFile>;

/** Reads prompt files, each once; what is wrong with one is told where the first route names it. */
function promptReader(
  roots: ReadonlySet<string>,
  findings: Findings,
): (file: FoundFile, named: ReturnType<typeof at>) => PromptSpec {
  const read = new Map<string, PromptSpec>();
  return ({ absolute, files }, named) => {
    const before = read.get(absolute);
    if (before !== undefined) return before;
    const file = files.display(absolute);
    const written = files.read(absolute);
    const { text, start, meta, problem } = splitPrompt(written);
    const prompt = { file, text, meta };
    read.set(absolute, prompt);
    if (meta?.interpolate !== false && text.includes("{{")) {
      const document = sourceDocument(file, absolute, unixText(written), undefined, false);
      const place = { document, path: [] };
      const offsetOf = (_: string, offset: number) => start + offset;
      if (meta?.interpolate === true) checkTemplate(text, place, offsetOf, roots, findings);
      else warnUnfilled(text, place, offsetOf, findings, roots);
    }
    if (problem !== undefined) {
      const message = `what stands between --- in ${file} is not read as front matter: ${problem}`;
      findings.warnings.push({ ...named, code: "front-matter", message });
    }
    return prompt;
  };
}

function warnUnlessExecutable(
  absolute: string,
  script: string,
  named: ReturnType<typeof at>,
  findings: Findings,
): void {
  try {
    accessSync(absolute, constants.X_OK);
  } catch {
    const message = `${script} is not executable: run chmod +x ${script}`;
    findings.warnings.push({ ...named, code: "not-executable", message });
  }
}
