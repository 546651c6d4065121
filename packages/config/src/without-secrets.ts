import { type DocumentPath, isMapping } from "./document-path.ts";
import { holdsReference } from "./holds-reference.ts";

const SECRET = /secret|token|password|passwd|credential|api[_-]?key|private[_-]?key|authorization/i;
/** What says where a secret is, or what it is called. */
const ABOUT = /_(env|file|path|name|header|field|url|arn|id|type)$/i;
/** Whether what stands under `key` is a secret by its name. */
export const isSecretName = (key: string): boolean => SECRET.test(key) && !ABOUT.test(key);

const HIDDEN = "(hidden: a secret that is written out)";
/** What stands before the `@` of a URL, wherever the URL stands in a text. */
const CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)([^/?#\s@]*(?:@[^/?#\s@]*)*)@/gi;

/** `text` without what URLs in it have as user and password, unless these are references. */
export function withoutCredentials(text: string): string {
  if (!text.includes("@")) return text;
  return text.replace(CREDENTIALS, (whole, scheme: string, written: string) => {
    const colon = written.indexOf(":");
    const user = colon < 0 ? "" : written.slice(0, colon + 1);
    const secret = written.slice(user.length);
    return isReference(secret) ? whole : `${scheme}${user}(hidden)@`;
  });
}

/** Whether a text is nothing but references: then it shows nothing. */
const isReference = (text: string): boolean => /^(?:\$\{[\w.]+\})*$/.test(text);

/** `value` with secrets that are no references hidden: a plan shows none (DESIGN.md, Configuration language). */
export function withoutSecrets(value: unknown, path: DocumentPath = []): unknown {
  if (typeof value === "string") {
    const secret = path.some((step) => typeof step === "string" && SECRET.test(step));
    if (secret && path.includes("config") && !holdsReference(value)) return HIDDEN;
    return withoutCredentials(value);
  }
  if (Array.isArray(value)) return value.map((item, at) => withoutSecrets(item, [...path, at]));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, [...path, key])]),
  );
}

/** The ways to the secrets in `config` that are written out instead of as `${NAME}`. */
export function writtenSecrets(config: unknown, path: DocumentPath = []): DocumentPath[] {
  return holdsWritten(config, "") ? waysToWritten(config, "", path) : [];
}

/** Of thousands of items hardly any does: nothing is made for the others. `key`: the name that `value` has. */
function holdsWritten(value: unknown, key: string): boolean {
  if (typeof value === "string") return isWritten(value, key);
  if (Array.isArray(value)) return value.some((item) => holdsWritten(item, key));
  if (!isMapping(value)) return false;
  for (const own in value) if (holdsWritten(value[own], own)) return true;
  return false;
}

function waysToWritten(value: unknown, key: string, path: DocumentPath): DocumentPath[] {
  if (typeof value === "string") return isWritten(value, key) ? [path] : [];
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => waysToWritten(item, key, [...path, at]));
  }
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([own, item]) => waysToWritten(item, own, [...path, own]));
}

/** Texts under keys that are called as secrets are. */
export function underSecretKeys(value: unknown, key = ""): string[] {
  if (typeof value === "string") return SECRET.test(key) && !ABOUT.test(key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => underSecretKeys(item, key));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([own, item]) => underSecretKeys(item, own));
}

/** A password, or a user alone, in a URL's credentials, unless it is a reference. */
const WRITTEN_CREDENTIALS = /^\s*[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@:]*:)?[^/?#@:${}]+@/i;

const isWritten = (text: string, key: string) =>
  WRITTEN_CREDENTIALS.test(text) || (text !== "" && isSecretName(key) && !holdsReference(text));
