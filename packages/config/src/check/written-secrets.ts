import {
  credentialsIn,
  type DocumentPath,
  formatPath,
  holdsReference,
  isShown,
  isWrittenOut,
  type SecretText,
  secretText,
  withoutScheme,
} from "@orgloop/engine";
import { type FromVars, isMapping, isWrittenNumber } from "@orgloop/sdk";
import type { Vars } from "../resolve/substitute-vars.ts";

/**
 * The ways to the secrets in `config` that are written out instead of as `${NAME}`, or taken from
 * `vars`. `marked`: what the schema says of it beside the names of its keys.
 */
export function writtenSecrets(
  config: unknown,
  vars: Vars,
  path: DocumentPath = [],
  marked: readonly SecretText[] = [],
): DocumentPath[] {
  const named = some(config, "", (value, key) => isWritten(value, key, []));
  if (!named && marked.length === 0) return [];
  const fromVars = secretsFromVars(config, vars, marked);
  const byName = leavesOf(config, "", path).flatMap((leaf) =>
    isWritten(leaf.value, leaf.key, fromVars) ? [leaf.path] : [],
  );
  const reported = new Set(byName.map(formatPath));
  const bySchema = writtenMarks(marked, fromVars).map((place) => [...path, ...place]);
  return [...byName, ...bySchema.filter((place) => !reported.has(formatPath(place)))];
}

/** Where of what the schema marks something is written out. */
export function writtenMarks(marked: readonly SecretText[], fromVars: FromVars): DocumentPath[] {
  return marked.flatMap(({ path, value }) => (isWrittenOut(value, fromVars) ? [path] : []));
}

/** What stands in `config` where secrets do and is a value of `vars`. */
export function secretsFromVars(
  config: unknown,
  vars: Vars,
  marked: readonly SecretText[] = [],
): FromVars {
  const open = new Set(Object.values(vars).flatMap(openText));
  const isOpen = (value: unknown, key: string) => textsOf(value, key).some((one) => open.has(one));
  if (open.size === 0 || (marked.length === 0 && !some(config, "", isOpen))) return [];
  const texts = leavesOf(config, "", []).flatMap(({ value, key }) => textsOf(value, key));
  for (const { value } of marked) texts.push(withoutScheme(value));
  return [...new Set(texts.filter((one) => open.has(one)))];
}

/** A variable that is a reference itself is none: what it stands for may be secret. */
function openText(value: unknown): string[] {
  if (typeof value !== "string" && typeof value !== "number" && !isWrittenNumber(value)) return [];
  const text = String(value);
  return text === "" || holdsReference(text) ? [] : [text];
}

/** What of a value is secret by where it stands. */
function textsOf(value: unknown, key: string): string[] {
  const secret = secretText(value, key);
  const inUrls = typeof value === "string" ? credentialsIn(value).map((one) => one.secret) : [];
  return secret === undefined ? inUrls : [withoutScheme(secret), ...inUrls];
}

function isWritten(value: unknown, key: string, fromVars: FromVars): boolean {
  const secret = secretText(value, key);
  if (secret !== undefined && isWrittenOut(secret, fromVars)) return true;
  return (
    typeof value === "string" && credentialsIn(value).some((one) => isShown(one.secret, fromVars))
  );
}

type Check = (value: unknown, key: string) => boolean;

/**
 * Of thousands of items hardly any has one: nothing is made for the others. `key`: the name that
 * `value` has.
 */
function some(value: unknown, key: string, check: Check): boolean {
  if (Array.isArray(value)) return value.some((item) => some(item, key, check));
  if (!isMapping(value)) return check(value, key);
  for (const own in value) if (some(value[own], own, check)) return true;
  return false;
}

interface Leaf {
  readonly path: DocumentPath;
  /** The nearest name: that of its list, in a list. */
  readonly key: string;
  readonly value: unknown;
}

function leavesOf(value: unknown, key: string, path: DocumentPath): Leaf[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => leavesOf(item, key, [...path, at]));
  }
  if (!isMapping(value)) return [{ path, key, value }];
  return Object.entries(value).flatMap(([own, item]) => leavesOf(item, own, [...path, own]));
}
