import { isMapping, OrgLoopError, parseJson } from "@orgloop/sdk";
import type * as z from "zod";

const SHOWN = 60;

/** What was answered, for people: never the whole of it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isMapping(value)) {
    return `an object with ${Object.keys(value).slice(0, 5).join(", ") || "nothing in it"}`;
  }
  const text = String(value).trim().replace(/\s+/g, " ");
  if (text === "") return "nothing";
  return `"${text.slice(0, SHOWN)}${text.length > SHOWN ? "…" : ""}"`;
}

function wrong(what: string, expected: string, found: unknown, cause?: unknown): OrgLoopError {
  return new OrgLoopError(
    "GITHUB_FAILED",
    `GitHub, ${what}: expected ${expected}, found ${shown(found)}: check \`base_url\`, and what stands between`,
    { cause },
  );
}

function parsed(text: string, what: string, expected: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw wrong(what, expected, text, cause);
  }
}

function shaped<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join(".") ?? "";
  const message = `GitHub, ${what}: ${place}: ${issue?.message} (in ${shown(value)})`;
  throw new OrgLoopError("GITHUB_FAILED", message, { cause: result.error });
}

/**
 * The items of a list, each of the shape of `schema`; with `key` the list stands there in an object
 * (`{ total_count, workflow_runs }`). Throws `GITHUB_FAILED` for anything else: a page of HTML or
 * one that was cut is no empty list.
 */
export function listOf<Schema extends z.ZodType>(
  body: string,
  { item, key }: { readonly item: Schema; readonly key?: string | undefined },
  what: string,
): readonly z.output<Schema>[] {
  const expected = key === undefined ? "a list" : `an object with the list ${key}`;
  const value = parsed(body, what, expected);
  const list = key === undefined ? value : isMapping(value) ? value[key] : undefined;
  if (!Array.isArray(list)) throw wrong(what, expected, value);
  return list.map((one, at) => shaped(item, one, `${what} [${at}]`));
}

/** One object of the shape of `schema`. Throws `GITHUB_FAILED` for anything else. */
export function objectOf<Schema extends z.ZodType>(
  body: string,
  schema: Schema,
  what: string,
): z.output<Schema> {
  const value = parsed(body, what, "an object");
  if (!isMapping(value)) throw wrong(what, "an object", value);
  return shaped(schema, value, what);
}
