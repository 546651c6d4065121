import { type FromVars, isMapping, type StandardSchema } from "@orgloop/sdk";
import { type DocumentPath, valueAt } from "./document-path.ts";
import { referenced } from "./references.ts";
import { referencesIn, secretsIn } from "./secret-keys.ts";
import { secretsInUrls } from "./secrets-in-urls.ts";
import { fromVarsOf, isSecretName, withoutScheme } from "./without-secrets.ts";

/**
 * The secrets in an item's `config`: what stands under a key that its schema marks as one, or that
 * is called one, and what is secret in URLs ({@link secretsInUrls}). `written` is the config as it
 * stands in the files, `resolved` the same with its references resolved; `fromVars`: what in it is
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
    for (const { value } of referenced(valueAt(written, path), text)) found.add(value);
  };
  for (const { path, value } of secretsIn(schema, resolved)) eachText(value, path, add);
  for (const { path, value } of referencesIn(schema, resolved)) {
    eachText(value, path, (place, text) => {
      for (const { value } of referenced(valueAt(written, place), text)) found.add(value);
    });
  }
  eachText(resolved, [], (path, text) => {
    if (path.some((key) => typeof key === "string" && isSecretName(key))) add(path, text);
    // What a child process gets, whether or not its schema can say so: those of zod/mini cannot.
    if (path[0] === "env") {
      for (const { value } of referenced(valueAt(written, path), text)) found.add(value);
    }
    for (const one of secretsInUrls(valueAt(written, path), text)) found.add(one);
  });
  return [...found].filter((one) => one !== "" && !isOpen(one, fromVars));
}

/** Whether it is a value of `vars`, also behind its scheme, or behind the user of a URL. */
function isOpen(secret: string, fromVars: FromVars): boolean {
  const password = secret.slice(secret.indexOf(":") + 1);
  return [secret, withoutScheme(secret), password].some((one) => fromVars.includes(one));
}

/**
 * The secrets in a value that no schema tells of, such as a route's `then.config`: what references
 * under a secret's name stand for, and what is secret in URLs. `written` and `resolved` as in
 * {@link secretValues}.
 */
export function unmarkedSecrets(written: unknown, resolved: unknown): readonly string[] {
  const found = new Set<string>();
  eachText(resolved, [], (path, text) => {
    const asWritten = valueAt(written, path);
    const isNamed = path.some((key) => typeof key === "string" && isSecretName(key));
    if (isNamed) for (const { value } of referenced(asWritten, text)) found.add(value);
    for (const one of secretsInUrls(asWritten, text)) found.add(one);
  });
  const fromVars = fromVarsOf(resolved);
  return [...found].filter((one) => one !== "" && !isOpen(one, fromVars));
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
