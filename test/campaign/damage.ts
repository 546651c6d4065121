import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { DAMAGES, type DamageKind, damaged } from "@orgloop/testkit";
import { type Campaign, KEPT_HERE } from "./campaign.ts";
import type { CrashWorld } from "./crash-world.ts";
import { applyDamage, type Damage, judged, type Outcome, opened } from "./damage-verdict.ts";
import { type Contents, leftBehind, stateFiles } from "./damage-world.ts";
import { asJson, keepFault } from "./keep-fault.ts";

const ROUNDS_OF_EACH = 25;
/** Nothing beside these says that they were there: without one, everything is new. */
const MAY_BE_REMOVED = /^(state\.json|checkpoints\/.*)$/;

/**
 * Damages one file of a real data directory, of any kind and in any way, and opens it again. What
 * is lost or changed is said; a log that a start refuses opens after a repair; what is not lost is
 * as it was. After a kill nothing has to be said of what nobody had been told of.
 */
export const campaign: Campaign = async (more, keepIn = KEPT_HERE) => {
  const faults: string[] = [];
  const kept: string[] = [];
  const counts = new Map<Outcome, number>();
  const kinds = new Set<string>();
  do {
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const world = await leftBehind(signal);
      const whole = path.join(world.home, "data");
      try {
        const before = await opened(whole, async () => {});
        if (before.said.length > 0) {
          const fault = `undamaged after ${signal}: ${before.said.join("; ")}`;
          faults.push(fault);
          kept.push(
            await keepFault(keepIn, "damage", [fault], (to) => keep(to, world, { before })),
          );
        }
        const files = await stateFiles(whole);
        const answered = new Set(world.answered.values());
        for (let round = 0; round < ROUNDS_OF_EACH; round += 1) {
          const damage = await someDamage(whole, signal, files);
          if (damage === null) continue;
          kinds.add(damage.file.replace(/\d{3,}/g, "N"));
          const { outcome, fault, after } = await judged(whole, before, answered, damage);
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
          if (fault === null) continue;
          faults.push(fault);
          const found = { before, after, damage };
          kept.push(await keepFault(keepIn, "damage", [fault], (to) => keep(to, world, found)));
        }
      } finally {
        await world.close();
      }
    }
  } while (more());
  return { said: saidOf(counts, kinds), faults, kept };
};

function saidOf(counts: ReadonlyMap<Outcome, number>, kinds: ReadonlySet<string>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const of = (outcome: Outcome) => counts.get(outcome) ?? 0;
  return [
    `${all} damaged files of ${kinds.size} kinds: ${of("harmless")} harmed nothing`,
    `${of("mended")} said and nothing lost`,
    `${of("lossy")} said with what is lost`,
    `${of("unacknowledged")} unsaid of what nobody had been reported of`,
    `${of("lag")} unsaid of what marks lag behind before a kill`,
  ].join(", ");
}

/** By chance; null where it changes nothing, or nothing could tell. */
async function someDamage(
  whole: string,
  signal: NodeJS.Signals,
  files: readonly string[],
): Promise<Damage | null> {
  const file = files[Math.floor(Math.random() * files.length)] as string;
  const kind = DAMAGES[Math.floor(Math.random() * DAMAGES.length)] as DamageKind;
  const before = await readFile(path.join(whole, file));
  const bytes = damaged(Buffer.from(before), kind, Math.random);
  if (bytes?.equals(before) === true) return null;
  return kind === "removed" && MAY_BE_REMOVED.test(file) ? null : { signal, file, kind, bytes };
}

interface Found {
  readonly before: Contents;
  readonly after?: Contents | null;
  readonly damage?: Damage;
}

/**
 * The home directory as the process left it, the data directory with the damage, what both held,
 * and what was acknowledged.
 */
async function keep(folder: string, world: CrashWorld, { damage, ...held }: Found): Promise<void> {
  await cp(world.home, path.join(folder, "home"), { recursive: true });
  if (damage !== undefined) {
    const dataDir = path.join(folder, "damaged-data");
    await cp(path.join(world.home, "data"), dataDir, { recursive: true });
    await applyDamage(damage, dataDir);
  }
  const { answered, arrivals } = world;
  await writeFile(path.join(folder, "held.json"), asJson(held));
  await writeFile(path.join(folder, "acknowledged.json"), asJson({ answered, arrivals }));
}
