import { isDeepStrictEqual } from "node:util";
import { type SecretMask, secretMask } from "./secret-mask.ts";

/** The secrets that a project or a function has in its memory. */
export interface KnownSecrets extends SecretMask {
  /**
   * What an item holds from now on; what it held before is still masked, since what runs may still
   * use it.
   */
  learn(item: string, values: readonly string[]): void;
}

/** So many configurations of an item: some may have failed to open since the one that runs. */
const KEPT = 8;

export function knownSecrets(): KnownSecrets {
  const byItem = new Map<string, readonly (readonly string[])[]>();
  let current: SecretMask | undefined;
  const masks = (): SecretMask => {
    current ??= secretMask([...byItem.values()].flat(2));
    return current;
  };
  return {
    learn(item, values) {
      const before = byItem.get(item) ?? [];
      if (isDeepStrictEqual(values, before[0] ?? [])) return;
      byItem.set(item, [values, ...before].slice(0, KEPT));
      current = undefined;
    },
    mask: (text) => masks().mask(text),
    maskCut: (text) => masks().maskCut(text),
  };
}
