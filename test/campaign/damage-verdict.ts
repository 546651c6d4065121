import { cp, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { DamageKind } from "@orgloop/testkit";
import { differences, excuseOf } from "./damage-excuse.ts";
import { type Contents, contentsOf } from "./damage-world.ts";

/** One damage of one file. */
export interface Damage {
  readonly signal: NodeJS.Signals;
  /** Relative to the data directory. */
  readonly file: string;
  readonly kind: DamageKind;
  /** Null: removed. */
  readonly bytes: Buffer | null;
}

export type Outcome = "harmless" | "mended" | "lossy" | "unacknowledged" | "lag";

export interface Verdict {
  readonly outcome: Outcome;
  /** What broke a promise; null: nothing. */
  readonly fault: string | null;
  readonly after: Contents | null;
}

/**
 * Opens the data directory `whole`, which held `before`, with the damage. `answered`: ids of the
 * events that were answered 200.
 */
export async function judged(
  whole: string,
  before: Contents,
  answered: ReadonlySet<string>,
  damage: Damage,
): Promise<Verdict> {
  const { signal, file, kind } = damage;
  const what = `${kind} of ${file} after ${signal}`;
  let after: Contents;
  try {
    after = await opened(whole, (dataDir) => applyDamage(damage, dataDir));
  } catch (error) {
    const fault = `${what}: ${error instanceof Error ? error.stack : error}`;
    return { outcome: "lossy", fault, after: null };
  }
  const lost = differences(before, after);
  const broken = after.said.filter((text) => text.startsWith("BROKEN"));
  const unsaid = lost.length > 0 && after.said.length === 0;
  const cutAt = (bytes: number) => opened(whole, (dir) => truncate(path.join(dir, file), bytes));
  const excuse =
    unsaid && signal === "SIGKILL"
      ? await excuseOf({ whole, file, before, after, answered, cutAt })
      : null;
  const isFault = broken.length > 0 || (unsaid && excuse === null);
  const fault = isFault ? `${what}, unsaid: ${[...broken, ...lost].slice(0, 5).join("; ")}` : null;
  if (excuse !== null) return { outcome: excuse, fault, after };
  if (after.said.length === 0) return { outcome: "harmless", fault, after };
  return { outcome: lost.length === 0 ? "mended" : "lossy", fault, after };
}

export async function applyDamage({ file, bytes }: Damage, dataDir: string): Promise<void> {
  const place = path.join(dataDir, file);
  await (bytes === null ? rm(place) : writeFile(place, bytes));
}

/** What a copy of the data directory holds after `change`. */
export async function opened(
  dataDir: string,
  change: (dataDir: string) => Promise<void>,
): Promise<Contents> {
  const folder = await mkdtemp(path.join(tmpdir(), "orgloop-damage-"));
  try {
    await cp(dataDir, folder, { recursive: true });
    await change(folder);
    return await contentsOf(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
