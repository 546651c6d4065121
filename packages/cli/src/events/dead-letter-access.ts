import type { StageLetters } from "@orgloop/aws/operate";
import { type DeadLetterFilter, parseLetterFilter } from "@orgloop/engine";
import { purgeStoredLetters, readStoredLetter, readStoredLetters } from "@orgloop/node";
import { type DeadLetter, type DeadLetterSummary, hasCode, messageOf } from "@orgloop/sdk";
import { onStage, stageOf } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { locateData } from "../process/data-directory.ts";
import {
  ControlError,
  callProcess,
  type FoundProcess,
  findProcess,
} from "../process/running-process.ts";
import { periodOf } from "./point-in-time.ts";
import { needsProcess } from "./replay-rate.ts";

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

/** What `dead-letters replay` answers. */
export interface LetterReplayAnswer {
  readonly dry_run: boolean;
  readonly matched: number;
  readonly started?: number;
  readonly under_way?: number;
  readonly refused: readonly { readonly id: string; readonly error: string }[];
}

/**
 * The dead letters of a workspace: of the process that runs there, else of its files; of the stage
 * on AWS.
 */
export interface LetterAccess {
  /** As they are read. */
  list(filter: DeadLetterFilter): AsyncIterable<DeadLetterSummary>;
  get(id: string): Promise<DeadLetter | null>;
  /** `under_way`: being replayed just now, and therefore left. */
  purge(filter: DeadLetterFilter): Promise<{ purged: number; under_way: number }>;
  /** Throws `NOT_RUNNING` where only files are there. */
  replay(
    filter: DeadLetterFilter,
    options: { readonly dryRun: boolean; readonly rate?: string },
  ): Promise<LetterReplayAnswer>;
}

/** Throws `LOCKED` where a process holds the files and does not answer. */
export async function withLetters<Result>(
  context: CommandContext,
  use: (access: LetterAccess) => Promise<Result>,
): Promise<Result> {
  const { home } = context;
  const { dataDir, project } = await locateData(context);
  const stage = stageOf(context, project);
  if (stage !== null) {
    return onStage(stage, (open, { stageLetters }) => use(ofStage(context, stageLetters(open))));
  }
  const found = await findProcess(home, dataDir);
  return use(found?.responsive ? ofProcess(home, found) : ofFiles(context, dataDir));
}

function ofFiles({ output }: CommandContext, dataDir: string): LetterAccess {
  const warn = (message: string) => output.warn(message);
  return {
    list: (filter) => readStoredLetters(dataDir, filter, warn),
    get: (id) => readStoredLetter(dataDir, id, warn),
    purge: async (filter) => ({
      purged: await purgeStoredLetters(dataDir, filter, warn),
      under_way: 0,
    }),
    replay: async () => Promise.reject(needsProcess()),
  };
}

/** Letters asked for at a time. */
const PAGE = "500";

interface LetterPage {
  readonly letters: readonly DeadLetterSummary[];
  readonly next: number | null;
}

function ofProcess(home: string, found: FoundProcess): LetterAccess {
  const path = "/control/dead-letters";
  return {
    async *list({ ids: _, ...filter }) {
      for (let after: number | null = 0; after !== null; ) {
        const query = new URLSearchParams({ ...filter, limit: PAGE, after: String(after) });
        const page: LetterPage = await callProcess(home, found, `${path}?${query}`);
        yield* page.letters;
        after = page.next;
      }
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
    replay: (filter, { dryRun, rate }) => {
      const json = { ...filter, ...(rate && { rate }), dry_run: dryRun };
      return callProcess(home, found, `${path}/replay`, { json });
    },
  };
}

function ofStage({ output }: CommandContext, letters: StageLetters): LetterAccess {
  return {
    ...letters,
    async *list(filter) {
      const { letters: found, hidden } = await letters.list(filter);
      if (hidden > 0) {
        output.note(
          `${hidden} more lie in dead-letter queues behind those: a replay takes them too`,
        );
      }
      yield* found;
    },
    async replay(filter, options) {
      const onProgress = (sent: number) => output.progress(`${sent} sent`);
      try {
        return await letters.replay(filter, { ...options, onProgress });
      } finally {
        output.progress(null);
      }
    },
  };
}
