import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Campaign } from "./campaign.ts";

/** Histories of each model in a round. */
const HISTORIES = { WAL_RUNS: "3000", STORES_RUNS: "500", PROCESS_CRASHES: "40" };
const MODELS = ["wal-crash", "stores-crash", "process-crash"];

/**
 * Power cuts in a model of the page cache, where what was not synced is lost, torn or written in
 * another order. Runs the property tests of the log, of the stores and of the whole process on it,
 * from another seed each round.
 */
export const campaign: Campaign = async (more) => {
  const counts = new Map<string, number>();
  const faults: string[] = [];
  do {
    const seed = String(1 + Math.floor(Math.random() * 2 ** 30));
    const child = spawn("npx", ["vitest", "run", "--project", "property", ...MODELS], {
      env: { ...process.env, ...HISTORIES, PROCESS_SEED: seed, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    const [code] = (await once(child, "close")) as [number | null];
    for (const [, count, what] of output.matchAll(/(\d+) (random histories|power cuts)/g)) {
      counts.set(what as string, (counts.get(what as string) ?? 0) + Number(count));
    }
    if (code !== 0) faults.push(output.slice(-8_000));
  } while (more() && faults.length === 0);
  const said = [...counts].map(([what, count]) => `${count} ${what}`).join(", ");
  return { said, faults };
};
