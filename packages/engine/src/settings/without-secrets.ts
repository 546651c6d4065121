import { type FromVars, isWrittenNumber, type SecretPaths } from "@orgloop/sdk";
import { type DocumentPath, isMapping } from "./document-path.ts";
import { holdsReference } from "./references.ts";
import { isReference, replaceCredentials } from "./url-credentials.ts";

const SECRET = /secret|token|password|passwd|credential|api[_-]?key|private[_-]?key|authorization/i;
/** What says where a secret is, or what it is called. */
const ABOUT = /_(env|file|path|name|header|field|url|arn|id|type)$/i;
/** What counts tokens, or says how long one holds. */
const AMOUNT =
  /tokens$|^(max|min)|(limit|budget|count|length|size|ttl|age|timeout|window|interval|seconds|ms)$/i;
/** Whether what stands under `key` is a secret by its name. */
export const isSecretName = (key: string): boolean => SECRET.test(key) && !ABOUT.test(key);

/**
 * The text of a value that is a secret where it stands under `key`; a number is one as much as a
 * text.
 */
export function secretText(value: unknown, key: string): string | undefined {
  if (!isSecretName(key)) return undefined;
  if (typeof value === "string") return value;
  return isNumber(value) && !AMOUNT.test(key) ? String(value) : undefined;
}

export const isNumber = (value: unknown) => typeof value === "number" || isWrittenNumber(value);

/** `Bearer abc` of an Authorization header is `abc` elsewhere. */
export const withoutScheme = (text: string): string => text.replace(/^(bearer|basic|token) +/i, "");

/**
 * Whether a secret's text is written out: neither empty, nor a reference, nor a value of `vars`.
 */
export const isWrittenOut = (text: string, fromVars: FromVars): boolean =>
  text !== "" && !holdsReference(text) && !fromVars.includes(withoutScheme(text));

/** The same of what stands in a URL: also beside a reference it shows. */
export const isShown = (secret: string, fromVars: FromVars): boolean =>
  !isReference(secret) && !fromVars.includes(secret);

/** Stands for what nobody is shown. */
export const HIDDEN = "(hidden: a secret that is written out)";

/**
 * `text` without what URLs in it have as password, or as a user alone, unless these are references
 * or of `vars`.
 */
export function withoutCredentials(text: string, fromVars: FromVars = []): string {
  return replaceCredentials(text, ({ secret }) =>
    isShown(secret, fromVars) ? "(hidden)" : secret,
  );
}

/** What an item of the Topology says of its own secrets. */
export const fromVarsOf = (...items: readonly unknown[]): FromVars =>
  items.flatMap((item) => (isMapping(item) && Array.isArray(item.from_vars) ? item.from_vars : []));

/** The same, and where its secrets are; `others`: of the same item, which may say that too. */
export function ownSecretsOf(item: unknown, ...others: readonly unknown[]): OwnSecrets {
  const paths = [item, ...others].flatMap(
    (one): SecretPaths =>
      isMapping(one) && Array.isArray(one.secret_paths) ? one.secret_paths : [],
  );
  return { fromVars: fromVarsOf(item), paths };
}

interface OwnSecrets {
  readonly fromVars: FromVars;
  readonly paths: SecretPaths;
}

/**
 * `value` with secrets that are no references hidden: a plan shows none (docs/decisions/0014).
 * `path`: where in its item it stands; `own`: its item's.
 */
export function withoutSecrets(
  value: unknown,
  path: DocumentPath = [],
  own: OwnSecrets = path.length === 0 ? ownSecretsOf(value) : NONE,
): unknown {
  if (typeof value === "string" || isNumber(value)) {
    const key = path.findLast((step) => typeof step === "string" && isSecretName(step));
    const nearest = path.findLast((step) => typeof step === "string");
    const isAmount = typeof value !== "string" && AMOUNT.test(String(nearest));
    const named = key !== undefined && path.includes("config") && !isAmount;
    const secret = named || isMarked(path, own.paths);
    if (secret && isWrittenOut(String(value), own.fromVars)) return HIDDEN;
    return typeof value === "string" ? withoutCredentials(value, own.fromVars) : value;
  }
  if (Array.isArray(value)) {
    return value.map((item, at) => withoutSecrets(item, [...path, at], own));
  }
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, [...path, key], own)]),
  );
}

const NONE: OwnSecrets = { fromVars: [], paths: [] };

function isMarked([first, ...path]: DocumentPath, marked: SecretPaths): boolean {
  if (first !== "config") return false;
  return marked.some(
    (one) =>
      one.length === path.length && one.every((step, at) => String(step) === String(path[at])),
  );
}

/** Texts under keys that are called as secrets are. */
export function underSecretKeys(value: unknown, key = ""): string[] {
  if (typeof value === "string") return isSecretName(key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => underSecretKeys(item, key));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([own, item]) => underSecretKeys(item, own));
}
