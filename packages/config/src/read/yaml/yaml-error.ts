import { OrgLoopError } from "@orgloop/sdk";
import { YAMLException } from "js-yaml";
import { whatIsMeant } from "./what-is-meant.ts";

/** Nesting beyond this is refused. */
export const MAX_DEPTH = 64;

/** A document that cannot be read. */
export class YamlError extends OrgLoopError {
  /** Where in its text, from 0. */
  readonly offset: number;

  constructor(code: string, message: string, offset: number, options?: ErrorOptions) {
    super(code, message, options);
    this.offset = offset;
  }
}

/** What js-yaml and the schema say, the code that we give it, and how we say it. */
const REASONS: readonly (readonly [RegExp, string, string])[] = [
  [/^duplicated mapping key.*/, "duplicate-key", 'the key "$$KEY" stands twice in one mapping'],
  [/^tab characters.*/, "tab", "tabs cannot indent YAML: use spaces"],
  [/^unknown .*tag !<(.*)>/, "custom-tag", "the tag $1 is not allowed: only plain YAML values are"],
  [/^nesting exceeded.*/, "too-deep", `nested deeper than ${MAX_DEPTH} levels`],
  [/^(aliases exceeded|merge keys exceeded|abnormal merge).*/, "yaml-bomb", "too many aliases"],
  [/^number: (.*)/, "number", "$1"],
  [/^key: (.*)/, "non-text-key", "$1"],
  [/^forbidden: (.*)/, "forbidden-key", "$1"],
  [/^(.*)/, "yaml", "not valid YAML: $1"],
];

/** What js-yaml threw on `text`, in our words. */
export function explainYaml(error: unknown, text: string): YamlError {
  if (!(error instanceof YAMLException)) {
    return new YamlError("yaml", `not valid YAML: ${String(error)}`, 0, { cause: error });
  }
  const offset = error.mark?.position ?? 0;
  const [pattern, code, form] = REASONS.find(([reason]) => reason.test(error.reason)) ?? [];
  const unclear = code === "yaml" || code === "non-text-key";
  const meant = unclear ? whatIsMeant(text, offset, error.reason) : null;
  if (meant !== null) {
    return new YamlError(meant.code, meant.message, meant.offset, { cause: error });
  }
  const key = /^[^\s:]*/.exec(text.slice(offset, offset + 100))?.[0] ?? "";
  const message = pattern && form ? error.reason.replace(pattern, form) : error.reason;
  return new YamlError(
    code ?? "yaml",
    message.replace("$KEY", () => key),
    offset,
    { cause: error },
  );
}
