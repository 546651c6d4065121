import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openFileBus, repairWal, verifyWal } from "@orgloop/bus/file";
import { CheckedLines, nodeFileSystem, readStoredBodies } from "@orgloop/files";
import { hasCode, messageOf } from "@orgloop/sdk";
import {
  fileCheckpoints,
  fileDeadLetters,
  fileInbox,
  fileRouteStates,
  readAppliedState,
} from "@orgloop/stores";
import { startOrgLoop } from "../run-orgloop.ts";
import { type CrashWorld, crashWorld } from "./crash-world.ts";

/**
 * What the files of a data directory hold, by names such as `event evt_1`, as text; and what was
 * said of damage.
 */
export interface Contents {
  readonly held: ReadonlyMap<string, string>;
  readonly said: readonly string[];
}

/** Made for each round, or changed all the time: nothing that was promised is in them. */
const NOT_STATE = /(^|\/)(log\/|process\.json$|lock\.(db|json)$)/;
/** An actor that is always ill keeps events waiting for about this long. */
const LOAD_MS = 2_500;

/**
 * A data directory with something in every file, as a real process leaves it when it is killed, or
 * stopped.
 */
export async function leftBehind(signal: "SIGKILL" | "SIGTERM"): Promise<CrashWorld> {
  const world = await crashWorld({ dead: true });
  const running = await startOrgLoop(world.project, world.env);
  const stop = new AbortController();
  const load = world.load(running.url, stop.signal);
  await wait(LOAD_MS);
  if (signal === "SIGTERM") {
    stop.abort();
    await load;
  }
  await running.end(signal);
  stop.abort();
  await load;
  return world;
}

export async function stateFiles(dataDir: string): Promise<readonly string[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dataDir, path.join(entry.parentPath, entry.name)))
    .filter((file) => !NOT_STATE.test(file))
    .sort();
}

/**
 * Opens every file as a start does; a log that a start refuses is repaired first, and must open
 * then.
 */
export async function contentsOf(dataDir: string): Promise<Contents> {
  const held = new Map<string, string>();
  const said: string[] = [];
  const warn = (message: string) => void said.push(message);
  const dir = (name: string) => path.join(dataDir, name);
  const keep = (name: string, value: unknown) => held.set(name, JSON.stringify(value));
  const orSaid = (task: Promise<void>) => task.catch((error) => warn(messageOf(error)));

  await readLog(dir("wal"), keep, warn);
  await orSaid(readLetters(dir("dead-letters"), keep, warn));
  await orSaid(readInbox(dir("inbox"), keep, warn));
  await orSaid(
    (async () => {
      const routes = await fileRouteStates({ file: dir("route-state.jsonl"), warn });
      for (const [route, state] of await routes.load()) keep(`route ${route}`, state);
      await routes.close?.();
    })(),
  );
  await orSaid(
    (async () => {
      const checkpoints = fileCheckpoints({ dir: dir("checkpoints") });
      keep("checkpoint feed", await checkpoints.get("feed"));
    })(),
  );
  await orSaid(
    (async () => {
      keep("state", await readAppliedState(dataDir));
    })(),
  );
  for (const file of LINES) await orSaid(readLines(dataDir, file, keep, warn));
  return { held, said };
}

/** What is known by its lines alone. */
const LINES = ["claims/claims.jsonl", "repeats/repeats.jsonl", "attempt-starts.jsonl"];

/** Opens and mends the file as its store does. */
async function readLines(dataDir: string, name: string, keep: Keep, warn: Warn): Promise<void> {
  const file = path.join(dataDir, name);
  if (!existsSync(path.dirname(file))) return;
  const lines = await CheckedLines.open({
    path: file,
    fileSystem: nodeFileSystem,
    begin: () => () => {},
    upgrade: () => null,
    loss: () => "",
    advice: "",
    warn,
  });
  await lines.close();
  const parse = (body: Buffer) => body.toString();
  for await (const body of readStoredBodies(file, { upgrade: () => null, parse })) {
    keep(`${name} ${body}`, body);
  }
}

type Keep = (name: string, value: unknown) => void;
type Warn = (message: string) => void;

async function readLog(dir: string, keep: Keep, warn: Warn): Promise<void> {
  const open = () =>
    openFileBus({ dir, onEvent: ({ phase, error }) => phase === "wal.repair" && warn(`${error}`) });
  const report = await verifyWal(dir);
  let bus: Awaited<ReturnType<typeof open>>;
  try {
    bus = await open();
    if (report.problems.some(({ kind }) => kind !== "torn"))
      warn("BROKEN: verify refuses what opens");
  } catch (error) {
    warn(messageOf(error));
    if (!hasCode(error, "WAL_CORRUPT")) throw error;
    const { problems } = await repairWal(dir, { apply: true });
    for (const problem of problems) warn(JSON.stringify(problem));
    bus = await open();
  }
  for (const event of await bus.unacked()) keep(`event ${event.id}`, event);
  await bus.close();
}

async function readLetters(dir: string, keep: Keep, warn: Warn): Promise<void> {
  const letters = await fileDeadLetters({ dir, warn });
  for await (const { id } of letters.list()) keep(`letter ${id}`, await letters.get(id));
  await letters.close();
}

async function readInbox(dir: string, keep: Keep, warn: Warn): Promise<void> {
  const inbox = await fileInbox({ dir, warn });
  for (const { session_key } of await inbox.sessions()) {
    for (const entry of await inbox.list(session_key, 10_000)) keep(`inbox ${entry.id}`, entry);
  }
  await inbox.close?.();
}
