import { hasCode, messageOf } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import { type SourceDocument, sourceDocument } from "../resolve/source-document.ts";
import type { ProjectFiles } from "./project-files.ts";
import { AMBIGUOUS, readYaml } from "./yaml/read-yaml.ts";
import { swallowedValues } from "./yaml/swallowed-values.ts";
import type { YamlError } from "./yaml/yaml-error.ts";

const CODES: Readonly<Record<string, string>> = {
  TOO_LARGE: "too-large",
  NOT_UTF8: "not-utf8",
  UNREADABLE: "unreadable",
};

/** Reads one YAML file. What is wrong with it is one error; its value is undefined then. */
export function readDocument(
  files: ProjectFiles,
  absolute: string,
  findings: Findings,
): SourceDocument {
  const file = files.display(absolute);
  let text = "";
  try {
    text = files.read(absolute);
    const { value, ambiguity } = readYaml(text);
    const document = sourceDocument(file, absolute, text, value);
    if (ambiguity !== null) {
      const place = { document, path: document.pathAt(ambiguity), at: "value" } as const;
      const problem = { code: "ambiguous-yaml", message: AMBIGUOUS, offset: ambiguity };
      findings.errors.push({ ...place, ...problem });
    }
    for (const { offset, text: comment } of swallowedValues(text)) {
      const message = `there is no value here: what follows # is a comment. If it is meant, put it in quotes: ${JSON.stringify(comment)}`;
      const place = { document, path: document.pathAt(offset), at: "value" } as const;
      findings.warnings.push({ ...place, code: "comment-value", message, offset });
    }
    if (value === undefined) {
      const message = "the file is empty";
      findings.errors.push({ document, path: [], at: "value", code: "empty-file", message });
    }
    return document;
  } catch (error) {
    const document = sourceDocument(file, absolute, text, undefined, false);
    const code = (error as YamlError).code;
    findings.errors.push({
      document,
      path: [],
      at: "value",
      code: CODES[code] ?? (hasCode(error, code) ? code : "unreadable"),
      message: messageOf(error),
      offset: (error as YamlError).offset ?? 0,
    });
    return document;
  }
}
