import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DAMAGES, damaged } from "@orgloop/testkit";
import type { Campaign } from "./campaign.ts";
import { type Contents, contentsOf, leftBehind, stateFiles } from "./damage-world.ts";

const ROUNDS_OF_EACH = 25;
/** Nothing beside these says that they were there: without one, everything is new. */
const MAY_BE_REMOVED = /^(state\.json|checkpoints\/.*)$/;

/**
 * Damages one file of a real data directory, of any kind and in any way, and opens it again. What
 * is lost or changed is said; a log that a start refuses opens after a repair; what is not lost is
 * as it was.
 */
export const campaign: Campaign = async (more) => {
  const faults: string[] = [];
  const counts = { damaged: 0, harmless: 0, mended: 0, lossy: 0 };
  const kinds = new Set<string>();
  do {
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const world = await leftBehind(signal);
      try {
        const whole = path.join(world.home, "data");
        const before = await opened(whole, async () => {});
        if (before.said.length > 0)
          faults.push(`undamaged after ${signal}: ${before.said.join("; ")}`);
        const files = await stateFiles(whole);
        for (let round = 0; round < ROUNDS_OF_EACH; round += 1) {
          const file = files[Math.floor(Math.random() * files.length)] as string;
          const kind = DAMAGES[
            Math.floor(Math.random() * DAMAGES.length)
          ] as (typeof DAMAGES)[number];
          let changed = false;
          const after = await opened(whole, async (dataDir) => {
            const place = path.join(dataDir, file);
            const bytes = await readFile(place);
            const now = damaged(Buffer.from(bytes), kind, Math.random);
            changed = now === null || !now.equals(bytes);
            await (now === null ? rm(place) : writeFile(place, now));
          }).catch((error): Contents => {
            faults.push(
              `${kind} of ${file} after ${signal}: ${error instanceof Error ? error.stack : error}`,
            );
            return before;
          });
          if (!changed || (kind === "removed" && MAY_BE_REMOVED.test(file))) continue;
          kinds.add(file.replace(/\d{3,}/g, "N"));
          counts.damaged += 1;
          const lost = differences(before, after);
          if (after.said.length === 0) counts.harmless += 1;
          else if (lost.length === 0) counts.mended += 1;
          else counts.lossy += 1;
          const broken = after.said.filter((text) => text.startsWith("BROKEN"));
          if (broken.length > 0 || (lost.length > 0 && after.said.length === 0)) {
            const what = [...broken, ...lost].slice(0, 5).join("; ");
            faults.push(`${kind} of ${file} after ${signal}, unsaid: ${what}`);
          }
        }
      } finally {
        await world.close();
      }
    }
  } while (more());
  const { damaged: all, harmless, mended, lossy } = counts;
  const said = `${all} damaged files of ${kinds.size} kinds: ${harmless} harmed nothing, ${mended} said and nothing lost, ${lossy} said with what is lost`;
  return { said, faults };
};

/** What a copy of the data directory holds after `change`. */
async function opened(
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

/** What is gone, changed, or there again. */
function differences({ held: before }: Contents, { held: after }: Contents): readonly string[] {
  return [
    ...[...before]
      .filter(([name, text]) => after.get(name) !== text)
      .map(([name]) => `not as it was: ${name}`),
    ...[...after.keys()].filter((name) => !before.has(name)).map((name) => `there again: ${name}`),
  ];
}
