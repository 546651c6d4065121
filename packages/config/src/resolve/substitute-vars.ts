import { type DocumentPath, nearest } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import type { Findings } from "./findings.ts";
import type { SourceDocument } from "./source-document.ts";

export type Vars = Readonly<Record<string, unknown>>;

const VAR = /\$\{vars\.([^}]*)\}/g;
const ONLY_VAR = /^\$\{vars\.([^}]*)\}$/;

/**
 * The document with `${vars.x}` replaced in every text but the manifest's own `vars`. A text that
 * is nothing but one `${vars.x}` takes the variable's type. An unknown variable is an error at its
 * text.
 */
export function substituteVars(
  document: SourceDocument,
  vars: Vars,
  findings: Findings,
): SourceDocument {
  if (!document.text.includes("${vars.")) return document;
  const names = Object.keys(vars);

  const lookUp = (name: string, path: DocumentPath): unknown => {
    if (Object.hasOwn(vars, name)) return vars[name];
    const near = nearest(name, names);
    const hint =
      near !== undefined
        ? `did you mean "${near}"?`
        : names.length > 0
          ? `vars has: ${names.join(", ")}`
          : "the project has no vars";
    findings.errors.push({
      document,
      path,
      at: "value",
      code: "unknown-variable",
      message: `unknown variable "vars.${name}": ${hint}`,
    });
    return "";
  };

  const replace = (value: unknown, path: DocumentPath): unknown => {
    if (typeof value === "string") {
      const only = ONLY_VAR.exec(value);
      if (only) return lookUp(only[1] ?? "", path);
      // What no `}` comes after is not looked at, which would take the square of its length.
      const end = value.lastIndexOf("}") + 1;
      const closed = value.slice(0, end);
      return (
        closed.replace(VAR, (_, name: string) => String(lookUp(name, path))) + value.slice(end)
      );
    }
    if (Array.isArray(value)) return value.map((item, at) => replace(item, [...path, at]));
    if (!isMapping(value)) return value;
    const mapping: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      mapping[key] = path.length === 0 && key === "vars" ? item : replace(item, [...path, key]);
    }
    return mapping;
  };

  return { ...document, value: replace(document.value, []) };
}
