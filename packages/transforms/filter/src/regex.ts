import { messageOf, OrgLoopError } from "@orgloop/sdk";
import { RE2JS } from "re2js";
import type { RegexParts } from "./regex-parts.ts";

/**
 * JavaScript's syntax on a linear-time engine (re2js), so that no pattern can stall the pipeline.
 * What that engine cannot do, look-around and back-references, throws `INVALID_REGEX`; v1alpha1
 * silently read such a pattern as a literal.
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
