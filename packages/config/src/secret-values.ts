import { type FromVars, isMapping, type StandardSchema } from "@orgloop/sdk";
import { type DocumentPath, valueAt } from "./document-path.ts";
import { holdsReference } from "./holds-reference.ts";
import { referencesIn, secretsIn } from "./secret-keys.ts";
import { credentialsIn } from "./url-credentials.ts";
import { fromVarsOf, isSecretName, withoutScheme } from "./without-secrets.ts";

/**
 * The secrets in an item's `config`: what stands under a key that its schema marks as one, or that is called one, and the credentials
 * in URLs. `written` is the config as it stands in the files, `resolved` the same with its references resolved; `fromVars`: what in it is
 * a value of `vars`, which is no secret. In memory only.
 */
export function secretValues(
  schema: StandardSchema,
  written: unknown,
  resolved: unknown,
  fromVars: FromVars = [],
): readonly string[] {
  const found = new Set<string>();
  const add = (path: DocumentPath, text: string): void => {
    for (const one of [text, withoutScheme(text)]) found.add(one);
    for (const one of referenced(valueAt(written, path), text)) found.add(one);
  };
  for (const { path, value } of secretsIn(schema, resolved)) eachText(value, path, add);
  for (const { path, value } of referencesIn(schema, resolved)) {
    eachText(value, path, (place, text) => {
      for (const one of referenced(valueAt(written, place), text)) found.add(one);
    });
  }
  eachText(resolved, [], (path, text) => {
    if (path.some((key) => typeof key === "string" && isSecretName(key))) add(path, text);
    for (const one of credentials(text)) found.add(one);
  });
  for (const one of ["", ...fromVars]) found.delete(one);
  return [...found];
}

/** The credentials of every URL in `value`, also of those in texts around them. */
export function urlSecrets(value: unknown): readonly string[] {
  const found = new Set<string>();
  eachText(value, [], (_, text) => {
    for (const one of credentials(text)) found.add(one);
  });
  for (const one of fromVarsOf(value)) found.delete(one);
  return [...found];
}

function eachText(
  value: unknown,
  path: DocumentPath,
  visit: (path: DocumentPath, text: string) => void,
): void {
  if (typeof value === "string" || typeof value === "number") visit(path, String(value));
  else if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) eachText(item, [...path, at], visit);
  } else if (isMapping(value)) {
    for (const [key, item] of Object.entries(value)) eachText(item, [...path, key], visit);
  }
}

const REFERENCE = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/;

/** What the references in a text stand for, by what stands around them. */
function referenced(written: unknown, resolved: string): readonly string[] {
  if (typeof written !== "string" || !holdsReference(written)) return [];
  const [first = "", ...others] = written.split(REFERENCE);
  let from = first.length;
  return others.map((behind, at) => {
    const last = at === others.length - 1;
    const to = last ? resolved.length - behind.length : resolved.indexOf(behind, from);
    const value = resolved.slice(from, Math.max(from, to));
    from += value.length + behind.length;
    return value;
  });
}

/** Of `https://user:password@host` the password, both together, and of a user alone that too; as they are, and as they are meant. */
function credentials(text: string): string[] {
  return credentialsIn(text).flatMap(({ secret, whole }) =>
    [secret, whole].flatMap((one) => [one, decoded(one)]),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
