import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { messageOf, type PromptSpec } from "@orgloop/sdk";
import type { Attachments } from "./build-topology.ts";
import { at, type Declaration, type Declarations } from "./declarations.ts";
import type { DocumentPath } from "./document-path.ts";
import { valueAt } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import type { ProjectFiles } from "./project-files.ts";
import { splitPrompt } from "./read-prompt.ts";

/**
 * Finds every route's prompt file (and reads it) and every transform's script: beside the file that names it, then from the
 * project's root. Files that are missing, no files or outside the project are errors where they are named.
 */
export function attachFiles(
  declarations: Declarations,
  files: ProjectFiles,
  findings: Findings,
): Attachments {
  const prompts = new Map<Declaration, PromptSpec>();
  const scripts = new Map<Declaration, string>();
  const read = new Map<string, PromptSpec>();

  const attempt = (item: Declaration, path: DocumentPath, attach: (absolute: string) => void) => {
    const written = valueAt(item.value, path);
    if (!item.enabled || typeof written !== "string" || written === "") return;
    try {
      const { document } = at(item, path);
      attach(files.find(written, [dirname(document.absolute), files.root]));
    } catch (error) {
      findings.errors.push({ ...at(item, path), code: "file", message: messageOf(error) });
    }
  };

  for (const route of declarations.route) {
    const path = ["with", "prompt_file"];
    attempt(route, path, (absolute) => {
      let prompt = read.get(absolute);
      if (prompt === undefined) {
        const { text, meta, problem } = splitPrompt(files.read(absolute));
        prompt = { file: files.display(absolute), text, meta };
        read.set(absolute, prompt);
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
    attempt(transform, ["script"], (absolute) => {
      scripts.set(transform, files.display(absolute));
      try {
        accessSync(absolute, constants.X_OK);
      } catch {
        findings.warnings.push({
          ...at(transform, ["script"]),
          code: "not-executable",
          message: `${files.display(absolute)} is not executable: run chmod +x ${files.display(absolute)}`,
        });
      }
    });
  }
  return { prompts, scripts };
}
