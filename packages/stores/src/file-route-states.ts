import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileSystem, groupCommit, nodeFileSystem, replaceFile } from "@orgloop/files";
import { hasCode, messageOf, type RouteState, type RouteStateStore } from "@orgloop/sdk";

export interface FileRouteStatesOptions {
  /** A JSON file, replaced as a whole: it holds only routes that are held or rated. Its directory is made where missing. */
  readonly file: string;
  readonly fileSystem?: FileSystem;
  /** Told where the file cannot be read as one of ours: then nothing is remembered. */
  readonly warn?: (message: string) => void;
}

type Change = { readonly route: string; readonly state: RouteState | null };

/** Route states in one file. Changes that wait share a write. Nobody else may write it meanwhile. */
export async function fileRouteStates({
  file,
  fileSystem = nodeFileSystem,
  warn = () => {},
}: FileRouteStatesOptions): Promise<RouteStateStore> {
  await fileSystem.makeDirectory(dirname(file));
  let states = await read(file, warn);
  let turn: Promise<unknown> = Promise.resolve();

  async function commit(changes: readonly Change[]): Promise<void> {
    const next = new Map(states);
    for (const { route, state } of changes) {
      if (state === null) next.delete(route);
      else next.set(route, state);
    }
    const routes = Object.fromEntries(next);
    await replaceFile(file, `${JSON.stringify({ routes })}\n`, fileSystem);
    states = next;
  }

  function inTurn(task: () => Promise<void>): Promise<void> {
    const result = turn.then(task);
    turn = result.catch(() => undefined);
    return result;
  }

  const change = groupCommit<Change>(inTurn, commit);
  return {
    load: async () => new Map(states),
    save: (route, state) => change({ route, state }),
    async close() {
      await turn;
    },
  };
}

async function read(
  file: string,
  warn: (message: string) => void,
): Promise<ReadonlyMap<string, RouteState>> {
  try {
    const { routes } = JSON.parse(await readFile(file, "utf8"));
    const entries = Object.entries<RouteState>(routes).filter(([, state]) => isState(state));
    return new Map(entries);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) {
      warn(`${file}: breakers and rates begin anew, since it cannot be read: ${messageOf(error)}`);
    }
    return new Map();
  }
}

function isState(value: unknown): value is RouteState {
  if (typeof value !== "object" || value === null) return false;
  const { circuit, rateMs } = value as Partial<RouteState>;
  const rated = rateMs === null || typeof rateMs === "number";
  return (
    rated &&
    (circuit === null ||
      (typeof circuit?.openUntilMs === "number" && typeof circuit.cooldownMs === "number"))
  );
}
