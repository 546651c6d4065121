import { getPath, type OrgLoopEvent, plainValue, splitPath } from "@orgloop/sdk";
import { regexParts } from "./regex-parts.ts";

type Scalar = string | number | boolean | null;
export type Pattern = Scalar | readonly Scalar[];
export type Criteria = Readonly<Record<string, Pattern>>;

/** One path of a filter: whether the event's value there matches. */
type Criterion = (event: OrgLoopEvent) => boolean;

/**
 * The criteria of v1alpha1, section 5: scalars strictly equal; null matches what is null or
 * missing; a list or `"a,b"` matches any of its elements; `/re/flags` a regular expression on the
 * value's text. Rejects with `INVALID_PATH` and `INVALID_REGEX`. The engine of regular expressions
 * is loaded where there is one.
 */
export async function compileCriteria(criteria: Criteria): Promise<readonly Criterion[]> {
  return Promise.all(
    Object.entries(criteria).map(async ([path, pattern]): Promise<Criterion> => {
      const segments = splitPath(path);
      const tests = await Promise.all(alternatives(pattern).map(compilePattern));
      return (event) => {
        const value = getPath(event, segments);
        return tests.some((matches) => matches(value));
      };
    }),
  );
}

function alternatives(pattern: Pattern): readonly Scalar[] {
  if (typeof pattern !== "string") return isList(pattern) ? pattern : [pattern];
  if (!pattern.includes(",")) return [pattern];
  const parts = pattern.split(",").map((part) => part.trim());
  // A comma inside a regular expression, as in /a{1,2}/, separates nothing: splitting there would
  // leave half an expression.
  const torn = parts.some((part) => part.startsWith("/") && regexParts(part) === undefined);
  return torn && regexParts(pattern) !== undefined ? [pattern] : parts;
}

function isList(pattern: Pattern): pattern is readonly Scalar[] {
  return Array.isArray(pattern);
}

async function compilePattern(pattern: Scalar): Promise<(value: unknown) => boolean> {
  if (pattern === null) return (value) => value === null || value === undefined;
  const parts = typeof pattern === "string" ? regexParts(pattern) : undefined;
  if (parts === undefined) return (value) => plainValue(value) === plainValue(pattern);
  const { compileRegex } = await import("./regex.ts");
  const matches = compileRegex(parts);
  return (value) => {
    const text = textOf(value);
    return text !== undefined && matches(text);
  };
}

/**
 * `String(value)`, as v1alpha1 has it, or undefined for an object whose own `toString` is in the
 * way.
 */
function textOf(value: unknown): string | undefined {
  try {
    return String(value);
  } catch {
    return undefined;
  }
}
