import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readUnsettled } from "@orgloop/bus/file";
import { fileDeadLetters, fileInbox } from "@orgloop/stores";
import { routesOf } from "./crash-world.ts";

/** What a process that has ended left in its data directory. Deliveries are `ROUTE SOURCE/n`. */
export interface LeftState {
  /** How far the feed's checkpoint had moved: everything up to there is promised. */
  readonly checkpoint: number;
  /** Deliveries that the log did not call settled: in flight when the process died. */
  readonly unsettled: ReadonlySet<string>;
  /** Deliveries that waited in an inbox. */
  readonly inbox: ReadonlySet<string>;
  /** Of the last run only: the letters before are among them. */
  readonly letters: readonly Letter[];
}

/** As `dead-letters list --json` has it, too. */
export interface Letter {
  readonly event_id: string;
  /** Null: the event as a whole. */
  readonly route: string | null;
}

/** Changes nothing there: the stores are opened in a copy. */
export async function leftState(home: string): Promise<LeftState> {
  const data = path.join(home, "data");
  const folder = await mkdtemp(path.join(tmpdir(), "orgloop-left-"));
  try {
    for (const store of ["inbox", "dead-letters"]) {
      const from = path.join(data, store);
      if (existsSync(from)) await cp(from, path.join(folder, store), { recursive: true });
    }
    return {
      checkpoint: await checkpointOf(home),
      unsettled: await unsettledDeliveries(path.join(data, "wal")),
      inbox: await inboxDeliveries(path.join(folder, "inbox")),
      letters: await lettersIn(path.join(folder, "dead-letters")),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function checkpointOf(home: string): Promise<number> {
  const file = path.join(home, "data/checkpoints/feed.json");
  const text = await readFile(file, "utf8").catch(() => '{"checkpoint":"0"}');
  return Number(JSON.parse(text).checkpoint);
}

async function unsettledDeliveries(log: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  if (!existsSync(log)) return found;
  for await (const { event, settled } of readUnsettled(log)) {
    const { n } = event.payload as { n: number };
    const routes = event.source === "feed" ? ["plain"] : routesOf(n);
    for (const route of routes) if (!settled.has(route)) found.add(`${route} ${event.source}/${n}`);
  }
  return found;
}

async function inboxDeliveries(dir: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const inbox = await fileInbox({ dir });
  for (const { session_key, pending } of await inbox.sessions()) {
    for (const { route, event } of await inbox.list(session_key, pending)) {
      found.add(`${route} ${event.source}/${(event.payload as { n: number }).n}`);
    }
  }
  await inbox.close();
  return found;
}

async function lettersIn(dir: string): Promise<readonly Letter[]> {
  const letters: Letter[] = [];
  const store = await fileDeadLetters({ dir });
  for await (const { event_id, route } of store.list()) letters.push({ event_id, route });
  await store.close();
  return letters;
}
