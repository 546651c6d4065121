import {
  isWrittenNumber,
  type StandardIssue,
  type StandardSchema,
  withPlainNumbers,
} from "@orgloop/sdk";
import { type ConfigIssue, describeIssue, stepsOf } from "./describe-issue.ts";
import { type DocumentPath, formatPath, isMapping, valueAt } from "./document-path.ts";
import { isBlank } from "./is-blank.ts";
import { nearest } from "./nearest.ts";
import { holdsReference } from "./references.ts";
import { schemaKeys } from "./schema-keys.ts";
import { misspeltSecret, secretTextsIn } from "./secret-keys.ts";

/**
 * `value` where it holds; else `errors`, at least one. Unknown keys are `warnings` and are not in
 * the value.
 */
export type PluginConfigResult<Config> =
  | { readonly value: Config; readonly errors?: undefined; readonly warnings: ConfigIssue[] }
  | {
      readonly value?: undefined;
      readonly errors: ConfigIssue[];
      readonly warnings: ConfigIssue[];
    };

/** Keys of v1alpha1 that are known and ignored (`docs/configuration.md`, Files). */
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

/**
 * True where the issue is about a text with `${…}`, whose form is known only at the moment of use.
 */
function aboutReference(issue: StandardIssue, value: unknown): boolean {
  const found = valueAt(value, stepsOf(issue));
  return typeof found === "string" && holdsReference(found);
}

/**
 * A schema knows no number but a double: where it takes one, one that a double would change is
 * taken too, and `value` has it as it is written.
 */
async function validate<Config>(schema: StandardSchema<Config>, config: unknown) {
  const result = await schema["~standard"].validate(config);
  if (result.issues === undefined) return result;
  const doubles = withPlainNumbers(config);
  if (doubles === config) return result;
  const again = await schema["~standard"].validate(doubles);
  if (again.issues !== undefined) return again;
  const asWritten = (root: unknown, path: DocumentPath) =>
    valueAt(root, path) === valueAt(doubles, path)
      ? withValueAt(root, path, valueAt(config, path))
      : root;
  return { value: writtenNumbers(config).reduce<unknown>(asWritten, again.value) as Config };
}

/** The ways to the numbers that are kept as they are written. */
function writtenNumbers(value: unknown, path: DocumentPath = []): DocumentPath[] {
  if (isWrittenNumber(value)) return [path];
  if (Array.isArray(value)) return value.flatMap((item, at) => writtenNumbers(item, [...path, at]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => writtenNumbers(item, [...path, key]));
}

function withValueAt(root: unknown, [step, ...rest]: DocumentPath, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(root)) {
    return root.map((item, at) => (at === step ? withValueAt(item, rest, value) : item));
  }
  return isMapping(root) ? { ...root, [step]: withValueAt(root[step], rest, value) } : root;
}

/** Secrets that are there and empty: whoever set them thought they were in use. */
function emptySecrets(schema: StandardSchema, config: unknown): ConfigIssue[] {
  return secretTextsIn(schema, config).flatMap(({ path, value }): ConfigIssue[] => {
    if (!isBlank(value)) return [];
    const key = String(path.findLast((step) => typeof step === "string"));
    const message = `"${key}" is empty: expected a secret, or no such key`;
    return [{ path, at: "value", code: "empty-secret", message }];
  });
}

/**
 * An unknown key, with the keys that are known in its place: a warning, but of one that must have
 * been meant as a secret, without which nothing would be checked.
 */
function unknownKey(issue: ConfigIssue, schema: StandardSchema) {
  const { path, message } = issue;
  const keys = schemaKeys(schema, path.slice(0, -1));
  const secret = misspeltSecret(schema, path);
  const near = secret ?? nearest(String(path.at(-1)), keys);
  const meant = near === undefined ? "" : `: did you mean "${near}"?`;
  const known = keys.length === 0 ? "" : ` (known: ${keys.join(", ")})`;
  const said = secret === undefined ? `${message} is ignored` : message;
  return { secret: secret !== undefined, issue: { ...issue, message: `${said}${meant}${known}` } };
}

/**
 * Checks the `config` of a connector, transform or logger against its schema. With references still
 * in it (`validate`) what they stand for is not checked, and `value` is the config as written; with
 * references resolved (before `create`) all of it is. An empty secret is an error, and so is an
 * unknown key within two letters of a secret's (`docs/configuration.md`, Files).
 */
export async function parsePluginConfig<Config>(
  schema: StandardSchema<Config>,
  value: unknown,
): Promise<PluginConfigResult<Config>> {
  const warnings: ConfigIssue[] = [];
  const errors = emptySecrets(schema, value);
  let config = value;
  // Each round takes out the unknown keys of one depth of unions; a schema that never holds still
  // must end.
  for (let round = 0; round < 8; round++) {
    const result = await validate(schema, config);
    if (result.issues === undefined) {
      return errors.length > 0 ? { errors, warnings } : { value: result.value, warnings };
    }
    const unknown = result.issues.filter((issue) => issue.code === "unrecognized_keys");
    if (unknown.length === 0) {
      const open = result.issues.filter((issue) => !aboutReference(issue, config));
      const found = open.flatMap((issue) => describeIssue(issue, config, false));
      const said = new Set(errors.map(({ path }) => formatPath(path)));
      errors.push(...found.filter(({ path }) => !said.has(formatPath(path))));
      return errors.length > 0 ? { errors, warnings } : { value: config as Config, warnings };
    }
    for (const issue of unknown) {
      for (const described of describeIssue(issue, config, false)) {
        const key = String(described.path.at(-1));
        config = without(config, described.path.slice(0, -1), key);
        if (IGNORED.has(key) || key in RENAMED) continue;
        const { secret, issue } = unknownKey(described, schema);
        (secret ? errors : warnings).push(issue);
      }
    }
  }
  const message = "the schema keeps refusing keys that are not there";
  return { errors: [{ path: [], at: "value", code: "invalid-value", message }], warnings };
}
