import {
  type DocumentPath,
  fromVarsOf,
  isNumber,
  isSecretName,
  isShown,
  isWrittenOut,
  replaceCredentials,
  secretText,
  valueAt,
} from "@orgloop/engine";
import { type FromVars, isMapping, type SecretPaths, type Topology } from "@orgloop/sdk";

/** What a secret is known by without being told: the same for the same text only. */
export type Seal = (secret: string) => string;

const LISTS = ["sources", "actors", "transforms", "loggers"] as const;

/**
 * A topology in which secrets that are written out instead of as `${NAME}` are sealed; the same
 * object where there are none.
 */
export function sealSecrets(topology: Topology, seal: Seal): Topology {
  const changed: Record<string, unknown> = {};
  const sealOf = (item: unknown): OpenSeal => ({ seal, fromVars: fromVarsOf(item) });
  for (const list of LISTS) {
    const items: readonly Sealable[] = topology[list];
    const sealed = items.map((item) => {
      const own = sealOf(item);
      const config = sealValue(sealMarked(item, own), "", own);
      return config === item.config ? item : { ...item, config };
    });
    if (sealed.some((item, at) => item !== items[at])) changed[list] = sealed;
  }
  const bus = sealValue(topology.bus, "", sealOf(topology.bus));
  if (bus !== topology.bus) changed.bus = bus;
  return Object.keys(changed).length === 0 ? topology : { ...topology, ...changed };
}

/** Whether secrets are written out in it: those that would be sealed. */
export function holdsWrittenSecrets(topology: Topology): boolean {
  return sealSecrets(topology, () => "") !== topology;
}

interface Sealable {
  readonly config: unknown;
  readonly from_vars?: FromVars;
  readonly secret_paths?: SecretPaths;
}

/** The item's config with those secrets sealed that only its schema tells. */
function sealMarked(
  { config, secret_paths = [] }: Sealable,
  { seal, fromVars }: OpenSeal,
): unknown {
  return secret_paths.reduce((value: unknown, path) => {
    const found = valueAt(value, path);
    const text = typeof found === "string" || isNumber(found) ? String(found) : "";
    if (isSealed(text) || !isWrittenOut(text, fromVars)) return value;
    return withValueAt(value, path, `${SEALED}${seal(text)}`);
  }, config);
}

function withValueAt(value: unknown, [step, ...rest]: DocumentPath, put: string): unknown {
  if (step === undefined) return put;
  if (Array.isArray(value)) {
    return value.map((item, at) => (at === step ? withValueAt(item, rest, put) : item));
  }
  if (!isMapping(value)) return value;
  return { ...value, [step]: withValueAt(value[step], rest, put) };
}

/** The same value where nothing in it is sealed. `key`: the name that it has. */
function sealValue(value: unknown, key: string, seal: OpenSeal): unknown {
  if (typeof value === "string") return sealText(value, key, seal);
  const secret = secretText(value, key);
  if (secret !== undefined) return sealText(secret, key, seal);
  if (Array.isArray(value)) {
    const items = value.map((item) => sealValue(item, key, seal));
    return items.some((item, at) => item !== value[at]) ? items : value;
  }
  if (!isMapping(value)) return value;
  let sealed = value;
  for (const own in value) {
    const item = sealValue(value[own], own, seal);
    if (item !== value[own]) sealed = { ...sealed, [own]: item };
  }
  return sealed;
}

function sealText(text: string, key: string, { seal, fromVars }: OpenSeal): string {
  if (isSealed(text)) return text;
  if (isSecretName(key) && isWrittenOut(text, fromVars)) return `${SEALED}${seal(text)}`;
  return replaceCredentials(text, ({ secret, whole }) =>
    isShown(secret, fromVars) && !isSealed(secret) && !isSealed(whole)
      ? `${SEALED}${seal(secret)}`
      : secret,
  );
}

/** The seal, and what of an item it leaves as it is. */
interface OpenSeal {
  readonly seal: Seal;
  readonly fromVars: FromVars;
}

const SEALED = "hmac-sha256:";
const isSealed = (text: string): boolean => /^hmac-sha256:[0-9a-f]{64}$/.test(text);
