import { type DocumentPath, valueAt } from "@orgloop/engine";
import { isMapping, parseTemplate } from "@orgloop/sdk";
import { offsetInValue } from "../read/yaml/offset-in-value.ts";
import { at, type Declaration } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { Layer } from "../resolve/source-document.ts";
import { unknownRoot } from "./unknown-root.ts";

/**
 * Warns of every placeholder at `path` of an item and in it, also in keys, but where `isFilled`
 * says that it is a template's.
 */
export function checkUnfilled(
  item: Declaration,
  path: DocumentPath,
  isFilled: (path: DocumentPath) => boolean,
  findings: Findings,
): void {
  const visit = (value: unknown, here: DocumentPath): void => {
    if (typeof value === "string") {
      if (!value.includes("{{") || isFilled(here)) return;
      const { at: _, ...place } = at(item, here);
      const offsetOf = (part: string) => offsetInValue(place.document, place.path, part);
      warnUnfilled(value, place, offsetOf, findings);
    } else if (typeof value === "object" && value !== null) {
      const isList = Array.isArray(value);
      for (const [key, inner] of Object.entries(value)) {
        const there = [...here, isList ? Number(key) : key];
        const first = key.includes("{{") ? placeholdersIn(key)[0] : undefined;
        if (first !== undefined) {
          const message = unfilled(first.path);
          findings.warnings.push({ ...at(item, there), at: "key", code: CODE, message });
        }
        visit(inner, there);
      }
    }
  };
  const value = valueAt(item.value, path);
  if (holdsBraces(value)) visit(value, path);
}

/** Of thousands of items hardly any has them: nothing is made for the others. */
function holdsBraces(value: unknown): boolean {
  if (typeof value === "string") return value.includes("{{");
  if (Array.isArray(value)) return value.some(holdsBraces);
  if (!isMapping(value)) return false;
  for (const key in value) if (key.includes("{{") || holdsBraces(value[key])) return true;
  return false;
}

/**
 * Warns of the placeholders in a text that nothing fills in; of those alone that begin with one of
 * `roots`, where it is given. `offsetOf`: of a part of the text.
 */
export function warnUnfilled(
  text: string,
  place: Layer,
  offsetOf: (part: string, offset: number) => number,
  findings: Findings,
  roots?: ReadonlySet<string>,
): void {
  for (const { path, offset } of placeholdersIn(text)) {
    if (roots !== undefined && unknownRoot(path, roots) !== null) continue;
    const end = text.indexOf("}}", offset) + 2;
    findings.warnings.push({
      ...place,
      at: "value",
      offset: offsetOf(text.slice(offset, end), offset),
      code: CODE,
      message: unfilled(path),
    });
  }
}

const CODE = "unfilled-template";

const unfilled = (path: string) =>
  `{{${path}}} stays as it is written: nothing is filled in here. Filled in are the texts at the top level of then.config, a webhook's url and body_template, a console's template, args with args_template: true, and a prompt with interpolate: true`;

/** Those that could be meant as ours: other languages write `{{.Name}}` and `{{ range x }}`. */
function placeholdersIn(text: string) {
  const { parts, problems } = parseTemplate(text);
  const wrong = new Set(problems.map(({ offset }) => offset));
  return parts.filter(
    (part) => typeof part === "object" && !wrong.has(part.offset) && /^[\w\\.-]+$/.test(part.path),
  ) as Exclude<(typeof parts)[number], string>[];
}
