import { type DocumentPath, suggestion, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import type { Findings } from "../resolve/findings.ts";
import type { Layer, SourceDocument } from "../resolve/source-document.ts";

const PLACEHOLDER = /\{\{\s*(params|module)\.([^{}]*?)\s*\}\}/g;
const ONLY = /^\{\{\s*(params|module)\.([^{}]*?)\s*\}\}$/;

/** What the placeholders of an instance stand for. */
export interface Placeholders {
  /** Undefined: an optional parameter that nobody gives. */
  readonly params: ReadonlyMap<string, unknown>;
  /** The instance's name, and the module's path from the project. */
  readonly module: { readonly name: string; readonly path: string };
  /** Where a parameter is given; null where its default is taken. */
  given(param: string): Layer | null;
  /**
   * The parameter that says which one is meant by a source or an actor that the module requires;
   * null for any other name.
   */
  paramOf(kind: "source" | "actor", name: string): string | null;
  readonly use: Layer;
}

/** The parameter whose placeholder is all of `value`; null for any other value. */
export function onlyParam(value: unknown): string | null {
  const found = typeof value === "string" ? ONLY.exec(value) : null;
  return found?.[1] === "params" ? (found[2] ?? null) : null;
}

/** The first parameter in a text, or in the texts of a list. */
function firstParam(value: unknown): string | null {
  for (const text of Array.isArray(value) ? value : [value]) {
    if (typeof text !== "string") continue;
    for (const [, kind, name] of text.matchAll(PLACEHOLDER)) {
      if (kind === "params") return name ?? null;
    }
  }
  return null;
}

/** A parameter, and the way to a value inside what is given for it. */
interface PartOfParam {
  readonly param: string;
  readonly inside: DocumentPath;
}

/** What the value at `path` of the file comes from; null where it is the file's own. */
function paramAt(raw: unknown, path: DocumentPath): PartOfParam | null {
  for (let length = path.length; length > 0; length--) {
    const value = valueAt(raw, path.slice(0, length));
    if (value === undefined) continue;
    if (length < path.length && typeof value !== "string") return null;
    const param = firstParam(value);
    return param === null ? null : { param, inside: path.slice(length) };
  }
  return null;
}

/**
 * The parameter that stands for the source or actor that a route names at `path`, where the module
 * requires it.
 */
function requiredAt(raw: unknown, path: DocumentPath, { paramOf }: Placeholders): string | null {
  const [list, , section, field, ...rest] = path;
  if (list !== "routes" || rest.length > 1) return null;
  const name = valueAt(raw, path);
  if (typeof name !== "string") return null;
  if (section === "when" && field === "source") return paramOf("source", name);
  return section === "then" && field === "actor" ? paramOf("actor", name) : null;
}

/**
 * `document` (a module's file) as an instance has it: `{{ params.x }}`, `{{ module.name }}` and `{{
 * module.path }}` replaced in its parsed values. A value that is nothing but one placeholder keeps
 * the parameter's type, and is left out where the parameter is optional and not given; inside a
 * text that is an empty text. All other `{{…}}` are left for the event.
 */
export function substituteParams(
  document: SourceDocument,
  placeholders: Placeholders,
  findings: Findings,
): SourceDocument {
  const raw = document.value;
  const report = (path: DocumentPath, at: "key" | "value", code: string, message: string) =>
    findings.errors.push({ document, path, at, code, message });

  const lookUp = (kind: string, name: string, path: DocumentPath): unknown => {
    const { params, module } = placeholders;
    if (kind === "params" && params.has(name)) return params.get(name);
    if (kind === "module" && (name === "name" || name === "path")) return module[name];
    const names = kind === "params" ? [...params.keys()] : ["name", "path"];
    const hint = suggestion(name, names, kind === "params" ? "parameters" : "values");
    report(path, "value", "unknown-parameter", `there is no {{ ${kind}.${name} }}${hint}`);
    return "";
  };

  const replace = (value: unknown, path: DocumentPath): unknown => {
    if (typeof value === "string") {
      if (!value.includes("{{")) return value;
      const only = ONLY.exec(value);
      if (only) return lookUp(only[1] ?? "", only[2] ?? "", path);
      return value.replace(PLACEHOLDER, (_, kind: string, name: string) => {
        const found = lookUp(kind, name, path) ?? "";
        if (!isMapping(found) && !Array.isArray(found)) return String(found);
        const message = `{{ ${kind}.${name} }} is a list: it cannot stand inside a text`;
        report(path, "value", "wrong-parameter", message);
        return "";
      });
    }
    if (Array.isArray(value)) {
      return value
        .map((item, index) => replace(item, [...path, index]))
        .filter((item) => item !== undefined);
    }
    if (!isMapping(value)) return value;
    const mapping: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      if (key.search(PLACEHOLDER) !== -1) {
        const message = "placeholders are replaced in values, not in keys";
        report([...path, key], "key", "placeholder-in-key", message);
      }
      const filled = replace(item, [...path, key]);
      if (filled !== undefined) mapping[key] = filled;
    }
    return mapping;
  };

  return {
    ...document,
    value: document.text.includes("{{") ? replace(raw, []) : raw,
    instance: {
      raw,
      use: placeholders.use,
      fromUse: (path) => givenFor(raw, path, placeholders),
    },
  };
}

/**
 * Where it is given, at the use, what the value at `path` of the file comes from; null where it is
 * the file's own.
 */
function givenFor(raw: unknown, path: DocumentPath, placeholders: Placeholders): Layer | null {
  const part = paramAt(raw, path);
  const param = part?.param ?? requiredAt(raw, path, placeholders);
  const given = param === null ? null : placeholders.given(param);
  if (given === null) return null;
  const inside = [...given.path, ...(part?.inside ?? [])];
  return valueAt(given.document.value, inside) === undefined
    ? given
    : { document: given.document, path: inside };
}
