import { existsSync } from "node:fs";
import { join } from "node:path";
import { compileMatcher, eventAndTarget, isTarget } from "@orgloop/engine";
import type { Topology } from "@orgloop/sdk";

/** How many events wait, by route and by actor; those with none are left out. */
export interface QueuedEvents {
  readonly routes: Readonly<Record<string, number>>;
  readonly actors: Readonly<Record<string, number>>;
  /** Unsettled events, whether a route takes them or not. */
  readonly unacked: number;
}

/**
 * What waits on the file bus of a data directory on which no process runs, for the routes of the
 * topology that was applied there: what each route matches and is not done with. Other buses are
 * not looked into. Throws `WAL_CORRUPT`.
 */
export async function readStoredQueues(topology: Topology, dataDir: string): Promise<QueuedEvents> {
  const routes: Record<string, number> = Object.create(null);
  const actors: Record<string, number> = Object.create(null);
  const wal = join(dataDir, "wal");
  let unacked = 0;
  if (topology.bus.url !== "file" || !existsSync(wal)) return { routes, actors, unacked };
  const { readUnsettled } = await import("@orgloop/bus/file");
  const matcher = compileMatcher(topology.routes);
  for await (const { event: held, settled } of readUnsettled(wal)) {
    const { event, target } = eventAndTarget(held);
    unacked += 1;
    for (const { name, then } of matcher.match(event)) {
      if (settled.has(name) || (target !== null && !isTarget(name, target))) continue;
      routes[name] = (routes[name] ?? 0) + 1;
      actors[then.actor] = (actors[then.actor] ?? 0) + 1;
    }
  }
  return { routes, actors, unacked };
}
