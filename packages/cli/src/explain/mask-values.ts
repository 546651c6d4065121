import { secretMask } from "@orgloop/engine";
import { isMapping, type Topology } from "@orgloop/sdk";

/** The same value without the secrets of the project. */
export type MaskValues = <Value>(value: Value) => Value;

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Masks what the project's references stand for, where it is set here, in texts at any depth. */
export function maskValues(
  topology: Topology | null,
  env: Readonly<Record<string, string | undefined>>,
): MaskValues {
  const found = JSON.stringify(topology).matchAll(REFERENCE);
  const { mask } = secretMask([...found].flatMap(([, name = ""]) => env[name] ?? []));
  const masked = (value: unknown): unknown => {
    if (typeof value === "string") return mask(value);
    if (Array.isArray(value)) return value.map(masked);
    if (!isMapping(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, masked(one)]));
  };
  return <Value>(value: Value) => masked(value) as Value;
}
