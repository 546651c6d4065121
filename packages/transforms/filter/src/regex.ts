import { messageOf, OrgLoopError } from "@orgloop/sdk";
import { RE2JS } from "re2js";

/** `/body/flags` taken apart. */
export interface RegexParts {
  readonly body: string;
  readonly flags: string;
}

/** Undefined where the text is no regular expression but a literal: no slashes around it, or flags that JavaScript has not. */
export function regexParts(text: string): RegexParts | undefined {
  const [, body, flags] = /^\/(.*)\/([dgimsuvy]*)$/s.exec(text) ?? [];
  if (body === undefined || flags === undefined) return undefined;
  return new Set(flags).size === flags.length ? { body, flags } : undefined;
}

/**
 * JavaScript's syntax on a linear-time engine (re2js), so that no pattern can stall the pipeline. What that engine cannot do,
 * look-around and back-references, throws `INVALID_REGEX`; v1alpha1 silently read such a pattern as a literal.
 */
export function compileRegex({ body, flags }: RegexParts): (text: string) => boolean {
  const has = (flag: string, value: number) => (flags.includes(flag) ? value : 0);
  const options =
    has("i", RE2JS.CASE_INSENSITIVE) | has("m", RE2JS.MULTILINE) | has("s", RE2JS.DOTALL);
  try {
    const regex = RE2JS.compile(RE2JS.translateRegExp(body), options);
    return flags.includes("y")
      ? (text) => regex.matcher(text).lookingAt()
      : (text) => regex.test(text);
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_REGEX",
      `/${body}/${flags} is not a regular expression that runs in linear time (${messageOf(cause)}). Look-around and back-references are not supported; use several criteria, jq, or a script instead.`,
      { cause },
    );
  }
}

/** `String(value)`, as v1alpha1 has it, or undefined for an object whose own `toString` is in the way. */
export function textOf(value: unknown): string | undefined {
  try {
    return String(value);
  } catch {
    return undefined;
  }
}
