import { dirname } from "node:path";
import {
  CheckedLines,
  type FileSystem,
  groupCommit,
  type MadeFiles,
  nodeFileSystem,
  readWhole,
} from "@orgloop/files";
import {
  type BreakerState,
  CLOSED_BREAKER,
  hasCode,
  isMapping,
  messageOf,
  type RouteState,
  type RouteStateStore,
} from "@orgloop/sdk";

export interface FileRouteStatesOptions {
  /** Ends in `.jsonl`. Its directory is made where missing. */
  readonly file: string;
  readonly fileSystem?: FileSystem;
  /** Where it is kept that the file was made. */
  readonly made?: MadeFiles | undefined;
  /** Told of damage, and of a file of an earlier version that cannot be read. */
  readonly warn?: (message: string) => void;
}

interface Change {
  readonly route: string;
  readonly state: RouteState | null;
}

/** A state as it stands in the file: of a breaker, until when it is open; null: it is closed. */
interface WrittenState {
  readonly circuit:
    | (Pick<BreakerState, "cooldownMs" | "askedMs"> & {
        readonly openUntilMs: number;
      })
    | null;
  readonly rateMs: number | null;
}

/**
 * Route states in a file of checksummed lines (`CheckedLines`), the last one of a route counts.
 * Changes that wait share a sync. A JSON file of the same name without the `l`, which an earlier
 * version wrote, is taken over. Nobody else may write it meanwhile.
 */
export async function fileRouteStates({
  file: path,
  fileSystem = nodeFileSystem,
  made,
  warn = () => {},
}: FileRouteStatesOptions): Promise<RouteStateStore> {
  await fileSystem.makeDirectory(dirname(path));
  let states = new Map<string, RouteState>();
  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      states = new Map();
      return (body) => apply(parseRouteStateLine(body));
    },
    upgrade: () => null,
    loss: lostStates,
    advice: "The breakers and rates of those routes begin anew; no event is lost",
    warn,
  });

  function apply({ route, state }: Change): void {
    if (state === null) states.delete(route);
    else states.set(route, state);
  }

  async function commit(changes: readonly Change[]): Promise<void> {
    const bodies = changes.map(lineOf);
    await file.append(bodies, { durable: true });
    for (const change of changes) apply(change);
    if (!file.isStale(states.size)) return;
    await file.tidy(Array.from(states, ([route, state]) => lineOf({ route, state })));
  }

  const change = groupCommit<Change>((task) => file.inTurn(task), commit);
  const earlier = path.slice(0, -1);
  const taken = await readEarlier(earlier, fileSystem, warn);
  if (file.lines === 0 && taken.length > 0) await file.inTurn(() => commit(taken));
  await forget(earlier, fileSystem);
  return {
    load: async () => new Map(states),
    save: (route, state) => change({ route, state }),
    close: () => file.inTurn(() => file.close()),
  };
}

async function forget(file: string, fileSystem: FileSystem): Promise<void> {
  try {
    await fileSystem.remove(file);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  await fileSystem.syncDirectory(dirname(file));
}

/** As an earlier version kept them: `{"routes": {NAME: STATE}}`. */
async function readEarlier(
  file: string,
  fileSystem: FileSystem,
  warn: (message: string) => void,
): Promise<readonly Change[]> {
  try {
    const { routes } = JSON.parse(await readWhole(file, fileSystem));
    return Object.entries(routes).flatMap(([route, state]) =>
      isState(state) ? [{ route, state: stateOf(state) }] : [],
    );
  } catch (error) {
    if (!hasCode(error, "ENOENT")) {
      warn(`${file}: breakers and rates begin anew, since it cannot be read: ${messageOf(error)}`);
    }
    return [];
  }
}

function isState(value: unknown): value is WrittenState {
  if (typeof value !== "object" || value === null) return false;
  const { circuit, rateMs } = value as Partial<WrittenState>;
  const rated = rateMs === null || typeof rateMs === "number";
  return (
    rated &&
    (circuit === null ||
      (typeof circuit?.openUntilMs === "number" && typeof circuit.cooldownMs === "number"))
  );
}

/** Throws where a body is no route's state. */
export function parseRouteStateLine(body: Buffer): Change {
  const line = JSON.parse(body.toString());
  const { route, state } = line;
  if (typeof route === "string" && state === null) return { route, state };
  if (typeof route === "string" && isMapping(state)) {
    return { route, state: stateOf(state as unknown as WrittenState) };
  }
  throw new Error("a line of it is no route's state");
}

function stateOf({ circuit, rateMs }: WrittenState): RouteState {
  return { breaker: circuit === null ? CLOSED_BREAKER : { ...CLOSED_BREAKER, ...circuit }, rateMs };
}

function lineOf({ route, state }: Change): string {
  return JSON.stringify({ route, state: state === null ? null : writtenOf(state) });
}

function writtenOf({ breaker, rateMs }: RouteState): WrittenState {
  const { openUntilMs, cooldownMs, askedMs } = breaker;
  if (openUntilMs === null) return { circuit: null, rateMs };
  return {
    circuit: { openUntilMs, cooldownMs, ...(askedMs !== undefined && { askedMs }) },
    rateMs,
  };
}

/** What damaged bytes of the file held, for people. */
function lostStates(bytes: Buffer): string {
  const routes = bytes.toString("utf8").matchAll(/"route":"([^"\\]+)"/g);
  return Array.from(routes, ([, route]) => `the state of ${route}`).join(", ");
}
