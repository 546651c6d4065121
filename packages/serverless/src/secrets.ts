import { resolveReferences } from "@orgloop/config/references";
import { OrgLoopError } from "@orgloop/sdk";

/** Reads parameters by their full names; those that do not exist are left out. */
export type ReadParameters = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

export interface SecretsOptions {
  /** A secret's parameter is this, its name and `/value` (SST, `Config.Secret`). */
  readonly prefix: string;
  readonly read: ReadParameters;
  readonly now: () => number;
}

/** Puts secrets in the place of `${NAME}`: at the moment of use, for this function's memory only. */
export interface Secrets {
  /** Throws `MISSING_SECRETS`, naming those that are not set and `item`, which uses them. */
  resolve<Value>(item: string, value: Value): Promise<Value>;
}

/** For how long a secret is not asked for again: a changed one is used after this. */
const KEPT_MS = 300_000;
const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export function secrets({ prefix, read, now }: SecretsOptions): Secrets {
  const kept = new Map<string, { readonly value: string; readonly atMs: number }>();

  async function load(names: readonly string[]): Promise<void> {
    const old = names.filter((name) => now() - (kept.get(name)?.atMs ?? -KEPT_MS) >= KEPT_MS);
    if (old.length === 0) return;
    const found = await read(old.map((name) => `${prefix}${name}/value`));
    for (const name of old) {
      const value = found.get(`${prefix}${name}/value`);
      if (value === undefined) kept.delete(name);
      else kept.set(name, { value, atMs: now() });
    }
  }

  return {
    async resolve(item, value) {
      const text = JSON.stringify(value) ?? "";
      const names = new Set([...text.matchAll(REFERENCE)].map(([, name]) => name ?? ""));
      if (names.size === 0) return value;
      await load([...names]);
      const env = Object.fromEntries([...kept].map(([name, one]) => [name, one.value]));
      const resolved = resolveReferences(value, env);
      if (resolved.missing.length === 0) return resolved.value;
      throw new OrgLoopError(
        "MISSING_SECRETS",
        `${item}: ${resolved.missing.join(", ")} not set: sst secrets set NAME VALUE --stage STAGE`,
      );
    },
  };
}
