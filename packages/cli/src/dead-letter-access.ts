import {
  type DeadLetterFilter,
  type DeadLetterSummary,
  parseLetterFilter,
  purgeStoredLetters,
  readStoredLetters,
  summaryOf,
} from "@orgloop/runtime";
import { type DeadLetter, hasCode, messageOf } from "@orgloop/sdk";
import type { CommandContext } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { locateData } from "./data-directory.ts";
import { periodOf } from "./point-in-time.ts";
import { ControlError, callProcess, type FoundProcess, findProcess } from "./running-process.ts";

/** The flags that choose dead letters. */
export interface LetterFlags {
  readonly route?: string;
  readonly actor?: string;
  readonly reason?: string;
  readonly since?: string;
  readonly until?: string;
}

/** What the flags and ids choose. Throws `USAGE`. */
export function letterFilter(
  { route, actor, reason, since, until }: LetterFlags,
  ids: readonly string[] = [],
): DeadLetterFilter {
  const period = periodOf({ ...(since && { since }), ...(until && { until }) });
  try {
    return parseLetterFilter({
      ...period,
      ...(route !== undefined && { route }),
      ...(actor !== undefined && { actor }),
      ...(reason !== undefined && { reason }),
      ...(ids.length > 0 && { ids }),
    });
  } catch (error) {
    if (!hasCode(error, "INVALID_FILTER")) throw error;
    throw new CommandError("USAGE", `--${messageOf(error)}`, { cause: error });
  }
}

/** The dead letters of a workspace: of the process that runs there, else of its files. */
export interface LetterAccess {
  /** Null: nothing runs. */
  readonly process: FoundProcess | null;
  list(filter: DeadLetterFilter): Promise<readonly DeadLetterSummary[]>;
  get(id: string): Promise<DeadLetter | null>;
  /** `under_way`: being replayed just now, and therefore left. */
  purge(filter: DeadLetterFilter): Promise<{ purged: number; under_way: number }>;
}

/** Throws `LOCKED` where a process holds the files and does not answer. */
export async function accessLetters(context: CommandContext): Promise<LetterAccess> {
  const { home } = context;
  const { dataDir } = await locateData(context);
  const found = await findProcess(home, dataDir);
  if (found?.responsive) return ofProcess(home, found);
  return {
    process: null,
    list: async (filter) => (await readStoredLetters(dataDir, filter)).map(summaryOf),
    get: async (id) => (await readStoredLetters(dataDir, { ids: [id] }))[0] ?? null,
    purge: async (filter) => ({
      purged: await purgeStoredLetters(dataDir, filter),
      under_way: 0,
    }),
  };
}

function ofProcess(home: string, found: FoundProcess): LetterAccess {
  const path = "/control/dead-letters";
  return {
    process: found,
    list({ ids: _, ...filter }) {
      const query = new URLSearchParams({ ...filter });
      return callProcess(home, found, `${path}?${query}`);
    },
    async get(id) {
      try {
        return await callProcess(home, found, `${path}/${encodeURIComponent(id)}`);
      } catch (error) {
        if (error instanceof ControlError && error.status === 404) return null;
        throw error;
      }
    },
    purge: (filter) => callProcess(home, found, `${path}/purge`, { json: filter }),
  };
}
