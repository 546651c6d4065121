import { isMapping, isWrittenNumber, type StandardIssue } from "@orgloop/sdk";
import { type DocumentPath, formatPath, valueAt } from "./document-path.ts";
import { nearest } from "./nearest.ts";
import { withoutCredentials } from "./without-secrets.ts";

/** One problem of one value, in words for people; `at` is which end of the entry to point at. */
export interface ConfigIssue {
  readonly path: DocumentPath;
  readonly at: "key" | "value";
  readonly code: string;
  readonly message: string;
}

/** The kinds of zod's issues, as far as they are read here. */
interface Issue extends StandardIssue {
  readonly expected?: string;
  readonly values?: readonly unknown[];
  /** Of a discriminated union: what its discriminator may be. */
  readonly options?: readonly unknown[];
  readonly errors?: readonly (readonly Issue[])[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly params?: { readonly values?: readonly string[]; readonly code?: string };
}

const SECRET = /secret|token|password|passwd|key|auth|credential/i;

/** A value as an error may show it: short, and not at all where it may be a secret. */
export function show(value: unknown, path: DocumentPath = []): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isMapping(value)) return "a mapping";
  if (path.some((step) => typeof step === "string" && SECRET.test(step))) {
    return typeof value === "string"
      ? "text"
      : isWrittenNumber(value)
        ? "a number"
        : `a ${typeof value}`;
  }
  const shown = JSON.stringify(typeof value === "string" ? withoutCredentials(value) : value);
  return shown.length > 60 ? `${shown.slice(0, 57)}…"` : shown;
}

export function stepsOf(issue: StandardIssue): DocumentPath {
  return (issue.path ?? []).map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" ? key : String(key);
  });
}

/**
 * The issues of a schema in words for people, one problem each. With `ours` their messages say what
 * is expected, as the schemas of this package do; a plugin's are zod's own, unless its author wrote
 * one.
 */
export function describeIssue(raw: StandardIssue, root: unknown, ours: boolean): ConfigIssue[] {
  const issue = raw as Issue;
  const path = stepsOf(issue);
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    return (issue.keys ?? []).map((key, at) => ({
      path: [...path, key],
      at: "key",
      code: "unknown-key",
      message: (ours ? messages[at] : undefined) ?? `unknown key "${key}"`,
    }));
  }
  const inner = issue.code === "invalid_union" ? chosenBranch(issue, root, path) : undefined;
  if (inner) {
    return inner.flatMap((one) =>
      describeIssue({ ...one, path: [...path, ...stepsOf(one)] } as StandardIssue, root, ours),
    );
  }
  return [describeValue(issue, path, valueAt(root, path), ours)];
}

/** Codes of problems that lie in the key, not in its value. */
const OF_KEYS = new Set(["unknown-operator", "invalid-path"]);

function describeValue(
  issue: Issue,
  path: DocumentPath,
  value: unknown,
  ours: boolean,
): ConfigIssue {
  const code = issue.params?.code;
  if (code) return { path, at: OF_KEYS.has(code) ? "key" : "value", code, message: issue.message };
  const expected = ours ? issue.message : expectedOf(issue);
  if (value === undefined) {
    const message = missing(path, expected ?? issue.message);
    return { path, at: "value", code: "missing-key", message };
  }
  if (expected === undefined) {
    return { path, at: "value", code: "invalid-value", message: issue.message };
  }
  const found = `expected ${expected}, found ${show(value, ours ? [] : path)}`;
  return { path, at: "value", code: "invalid-value", message: found + hint(issue, value, ours) };
}

function hint(issue: Issue, value: unknown, ours: boolean): string {
  if (typeof value !== "string") return "";
  const choices = (issue.params?.values ?? issue.values ?? issue.options ?? []).filter(
    (choice) => typeof choice === "string",
  );
  const near = nearest(value, choices);
  if (near !== undefined) return `: did you mean "${near}"?`;
  return ours && value.includes("${") ? `: the environment gives text; take \${vars.NAME}` : "";
}

function missing(path: DocumentPath, expected: string): string {
  const key = path.at(-1);
  return key === undefined ? `expected ${expected}` : `"${key}" is missing: expected ${expected}`;
}

/**
 * Of the branches of a union the one that was meant: whose errors lie deepest; undefined where none
 * fits at all.
 */
function chosenBranch(
  issue: Issue,
  root: unknown,
  path: DocumentPath,
): readonly Issue[] | undefined {
  const value = valueAt(root, path);
  const branches = (issue.errors ?? []).filter(
    (branch) =>
      !branch.some((one) => one.code === "invalid_type" && stepsOf(one).length === 0) &&
      !branch.some((one) => one.code === "invalid_value" && stepsOf(one).length === 0),
  );
  return value === undefined || branches.length !== 1 ? undefined : branches[0];
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

/**
 * What zod's own issue expected; undefined where its author, or another library, says something
 * else.
 */
function expectedOf(issue: Issue): string | undefined {
  const own = /^expected (.*)/.exec(issue.message)?.[1];
  if (own !== undefined) return own;
  if (!/^(Invalid|Too|Unrecognized)/.test(issue.message)) return undefined;
  if (issue.code === "invalid_type") return TYPES[issue.expected ?? ""] ?? issue.expected;
  const choices = issue.code === "invalid_value" ? issue.values : issue.options;
  if (choices && choices.length > 0) {
    const values = choices.map((value) => String(value));
    return values.length > 1 ? `one of ${values.join(", ")}` : values[0];
  }
  if (issue.code === "too_small") return `at least ${issue.minimum}`;
  if (issue.code === "too_big") return `at most ${issue.maximum}`;
  return undefined;
}

/**
 * Without the issues that follow from another: where a key is mistyped, that the right one is
 * missing is not said again.
 */
export function withoutConsequences(issues: readonly ConfigIssue[]): ConfigIssue[] {
  const meant = new Set<string>();
  for (const { code, path, message } of issues) {
    const near = code === "unknown-key" ? /did you mean "(.*?)"\?/.exec(message)?.[1] : undefined;
    if (near !== undefined) meant.add(formatPath([...path.slice(0, -1), near]));
  }
  return issues.filter(({ code, path }) => code !== "missing-key" || !meant.has(formatPath(path)));
}
