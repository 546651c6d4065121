import type { StandardIssue, StandardSchema } from "@orgloop/sdk";
import { type ConfigIssue, describeIssue, stepsOf } from "./describe-issue.ts";
import { type DocumentPath, isMapping, valueAt } from "./document-path.ts";
import { holdsReference } from "./holds-reference.ts";
import { nearest } from "./nearest.ts";
import { schemaKeys } from "./schema-keys.ts";

/** `value` where it holds; else `errors`, at least one. Unknown keys are `warnings` and are not in the value. */
export type PluginConfigResult<Config> =
  | { readonly value: Config; readonly errors?: undefined; readonly warnings: ConfigIssue[] }
  | {
      readonly value?: undefined;
      readonly errors: ConfigIssue[];
      readonly warnings: ConfigIssue[];
    };

/** Keys of v1alpha1 that are known and ignored (`config-at-scale.md`, first paragraph). */
const IGNORED = new Set(["hook_type", "path"]);
/** Keys that v1alpha1's documentation gave another name. */
const RENAMED: Readonly<Record<string, string>> = { rotate: "rotation" };

function without(value: unknown, path: DocumentPath, key: string): unknown {
  const [step, ...rest] = path;
  if (step === undefined) {
    if (!isMapping(value)) return value;
    const { [key]: taken, ...kept } = value;
    const renamed = RENAMED[key];
    return renamed !== undefined && kept[renamed] === undefined
      ? { ...kept, [renamed]: taken }
      : kept;
  }
  if (Array.isArray(value)) {
    return value.map((item, at) => (at === step ? without(item, rest, key) : item));
  }
  return isMapping(value) ? { ...value, [step]: without(value[step], rest, key) } : value;
}

/** True where the issue is about a text with `${…}`, whose form is known only at the moment of use. */
function aboutReference(issue: StandardIssue, value: unknown): boolean {
  const found = valueAt(value, stepsOf(issue));
  return typeof found === "string" && holdsReference(found);
}

/**
 * Checks the `config` of a connector, transform or logger against its schema. With references still in it (`validate`) what
 * they stand for is not checked, and `value` is the config as written; with references resolved (before `create`) all of it is.
 */
export async function parsePluginConfig<Config>(
  schema: StandardSchema<Config>,
  value: unknown,
): Promise<PluginConfigResult<Config>> {
  const warnings: ConfigIssue[] = [];
  let config = value;
  // Each round takes out the unknown keys of one depth of unions; a schema that never holds still must end.
  for (let round = 0; round < 8; round++) {
    const checked = schema["~standard"].validate(config);
    const result = checked instanceof Promise ? await checked : checked;
    if (result.issues === undefined) return { value: result.value, warnings };
    const unknown = result.issues.filter((issue) => issue.code === "unrecognized_keys");
    if (unknown.length === 0) {
      const open = result.issues.filter((issue) => !aboutReference(issue, config));
      if (open.length === 0) return { value: config as Config, warnings };
      return { errors: open.flatMap((issue) => describeIssue(issue, config, false)), warnings };
    }
    for (const issue of unknown) {
      for (const described of describeIssue(issue, config, false)) {
        const key = String(described.path.at(-1));
        config = without(config, described.path.slice(0, -1), key);
        if (IGNORED.has(key) || key in RENAMED) continue;
        const near = described.path.length === 1 ? nearest(key, schemaKeys(schema)) : undefined;
        const hint = near === undefined ? "" : `: did you mean "${near}"?`;
        warnings.push({ ...described, message: `${described.message} is ignored${hint}` });
      }
    }
  }
  const message = "the schema keeps refusing keys that are not there";
  return { errors: [{ path: [], at: "value", code: "invalid-value", message }], warnings };
}
