import type { Topology } from "@orgloop/sdk";
import { isMapping } from "./document-path.ts";
import { holdsReference } from "./holds-reference.ts";
import { isSecretName } from "./without-secrets.ts";

/** What a secret is known by without being told: the same for the same text only. */
export type Seal = (secret: string) => string;

const LISTS = ["sources", "actors", "transforms", "loggers"] as const;
/** The password of a URL that is written out. */
const PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^/@:]*:)([^/@]+)@/i;

/** A topology in which secrets that are written out instead of as `${NAME}` are sealed; the same object where there are none. */
export function sealSecrets(topology: Topology, seal: Seal): Topology {
  const changed: Record<string, unknown> = {};
  for (const list of LISTS) {
    const items: readonly { readonly config: unknown }[] = topology[list];
    const sealed = items.map((item) => {
      const config = sealValue(item.config, "", seal);
      return config === item.config ? item : { ...item, config };
    });
    if (sealed.some((item, at) => item !== items[at])) changed[list] = sealed;
  }
  const bus = sealValue(topology.bus, "", seal);
  if (bus !== topology.bus) changed.bus = bus;
  return Object.keys(changed).length === 0 ? topology : { ...topology, ...changed };
}

/** Whether secrets are written out in it: those that would be sealed. */
export function holdsWrittenSecrets(topology: Topology): boolean {
  return sealSecrets(topology, () => "") !== topology;
}

/** The same value where nothing in it is sealed. `key`: the name that it has. */
function sealValue(value: unknown, key: string, seal: Seal): unknown {
  if (typeof value === "string") return sealText(value, key, seal);
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

function sealText(text: string, key: string, seal: Seal): string {
  if (text === "" || isSealed(text)) return text;
  if (isSecretName(key) && !holdsReference(text)) return `${SEALED}${seal(text)}`;
  return text.replace(PASSWORD, (whole, before: string, password: string) =>
    holdsReference(password) || isSealed(password) ? whole : `${before}${SEALED}${seal(password)}@`,
  );
}

const SEALED = "hmac-sha256:";
const isSealed = (text: string): boolean => /^hmac-sha256:[0-9a-f]{64}$/.test(text);
