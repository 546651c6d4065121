import { hasCode, messageOf } from "@orgloop/sdk";
import type { CachedDocument } from "./document-cache.ts";
import type { Findings } from "./findings.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import type { ProjectFiles } from "./project-files.ts";
import { mayBeDisputed } from "./second-reader.ts";
import { type SourceDocument, sourceDocument } from "./source-document.ts";
import { readAnyYaml, type YamlError } from "./yaml-values.ts";

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
    const known = files.cache?.find(text);
    if (known) return remembered(file, absolute, text, known);
    const plain = readPlainYaml(text);
    const value = plain ?? readAnyYaml(text);
    const disputable = plain === undefined && mayBeDisputed(text);
    const cached = disputable ? undefined : files.cache?.add(text, value, absolute);
    const document = { ...sourceDocument(file, absolute, text, value), cached, disputable };
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

/** A document whose text was read before: its value is looked up when it is asked for. */
function remembered(
  file: string,
  absolute: string,
  text: string,
  cached: CachedDocument,
): SourceDocument {
  return {
    ...sourceDocument(file, absolute, text, undefined),
    cached,
    get value() {
      return cached.value;
    },
  };
}
