import { parse } from "yaml";
import { CommandError } from "../command-error.ts";

/** A parameter as a module's manifest declares it. */
export interface DeclaredParameter {
  readonly name: string;
  readonly type: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly description?: string;
  readonly values?: readonly unknown[];
}

/**
 * `--param NAME=VALUE` as the parameter's type wants it: numbers and booleans as such, lists as
 * `a,b` or `[a, b]`. Whether it fits is for the configuration to say, and so is a name that the
 * module does not know. Throws `USAGE` for what is no `NAME=VALUE`.
 */
export function moduleParams(
  given: readonly string[],
  declared: readonly DeclaredParameter[],
): Readonly<Record<string, unknown>> {
  const types = new Map(declared.map((parameter) => [parameter.name, parameter]));
  const params = new Map<string, unknown>();
  for (const text of given) {
    const [, name, value] = /^([A-Za-z_][\w-]*)=([\s\S]*)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new CommandError("USAGE", `--param "${text}": expected NAME=VALUE`);
    }
    if (params.has(name)) {
      throw new CommandError("USAGE", `--param ${name} is given twice`);
    }
    params.set(name, typed(value, types.get(name)));
  }
  return Object.fromEntries(params);
}

function typed(text: string, parameter: DeclaredParameter | undefined): unknown {
  if (parameter?.type === "number" || parameter?.type === "boolean") {
    const value = plain(text);
    return typeof value === parameter.type ? value : text;
  }
  if (parameter?.type === "enum") {
    return (parameter.values ?? []).find((value) => String(value) === text) ?? text;
  }
  if (parameter?.type === "list") {
    if (!text.trimStart().startsWith("[")) return text.split(",").map((item) => item.trim());
    const list = plain(text);
    return Array.isArray(list) ? list : text;
  }
  return text;
}

function plain(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

/** The parameters that must be given and are not, a line each. */
export function missingParams(
  declared: readonly DeclaredParameter[],
  given: Readonly<Record<string, unknown>>,
): string[] {
  return declared
    .filter(({ name, required }) => required && given[name] === undefined)
    .map(({ name, type, description }) => {
      const what = description === undefined ? "" : `: ${description}`;
      return `  --param ${name}=… (${type})${what}`;
    });
}
