import { type KnownSecrets, resolveReferences, unmarkedSecrets } from "@orgloop/engine";
import { OrgLoopError } from "@orgloop/sdk";

/** Reads parameters by their full names; those that do not exist are left out. */
export type ReadParameters = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

export interface SecretsOptions {
  /** A secret's parameter is this, its name and `/value` (SST, `Config.Secret`). */
  readonly prefix: string;
  readonly read: ReadParameters;
  readonly now: () => number;
  /** Told of what is secret in what is resolved, beside what its schema marks. */
  readonly known: Pick<KnownSecrets, "learn">;
}

/**
 * Puts secrets in the place of `${NAME}`: at the moment of use, for this function's memory only.
 */
export interface Secrets {
  /** Throws `MISSING_SECRETS`, naming those that are not set and `item`, which uses them. */
  resolve<Value>(item: string, value: Value): Promise<Value>;
  /** Each by itself, read together: what lacks a secret is its `MISSING_SECRETS`. */
  resolveEach<Value>(
    items: readonly Unresolved<Value>[],
  ): Promise<readonly (Value | OrgLoopError)[]>;
}

export interface Unresolved<Value> {
  /** What it is, for people. */
  readonly item: string;
  readonly value: Value;
}

/** For how long a secret is not asked for again: a changed one is used after this. */
const SECRET_CACHE_MS = 300_000;
const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export function secrets({ prefix, read, now, known }: SecretsOptions): Secrets {
  const kept = new Map<string, { readonly value: string; readonly atMs: number }>();

  async function load(names: readonly string[]): Promise<void> {
    const old = names.filter(
      (name) => now() - (kept.get(name)?.atMs ?? -SECRET_CACHE_MS) >= SECRET_CACHE_MS,
    );
    if (old.length === 0) return;
    const found = await read(old.map((name) => `${prefix}${name}/value`));
    for (const name of old) {
      const value = found.get(`${prefix}${name}/value`);
      if (value === undefined) kept.delete(name);
      else kept.set(name, { value, atMs: now() });
    }
  }

  async function resolveEach<Value>(
    items: readonly Unresolved<Value>[],
  ): Promise<readonly (Value | OrgLoopError)[]> {
    const namesOf = ({ value }: Unresolved<Value>) =>
      [...(JSON.stringify(value) ?? "").matchAll(REFERENCE)].map(([, name]) => name ?? "");
    const names = new Set(items.flatMap(namesOf));
    if (names.size === 0) return items.map(({ value }) => value);
    await load([...names]);
    const env = Object.fromEntries([...kept].map(([name, one]) => [name, one.value]));
    return items.map(({ item, value }) => {
      const resolved = resolveReferences(value, env);
      if (resolved.missing.length === 0) {
        const found = unmarkedSecrets(value, resolved.value);
        // Of one route policy and config are resolved apart: what the one lacks the other keeps.
        if (found.length > 0) known.learn(`${item}, references`, found);
        return resolved.value;
      }
      return new OrgLoopError(
        "MISSING_SECRETS",
        `${item}: ${resolved.missing.join(", ")} not set: sst secrets set NAME VALUE --stage STAGE`,
      );
    });
  }

  return {
    resolveEach,
    async resolve<Value>(item: string, value: Value): Promise<Value> {
      const [resolved] = await resolveEach([{ item, value }]);
      if (resolved instanceof OrgLoopError) throw resolved;
      return resolved as Value;
    },
  };
}
