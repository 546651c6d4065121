import { type DeadLetterFilter, letterSelection } from "@orgloop/engine";
import type { DeadLetter, DeadLetterSummary } from "@orgloop/sdk";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import type { ListedLetter } from "../state/letter-item.ts";
import { type LetterReplayAnswer, letterSender } from "./letter-sender.ts";
import type { OpenStage } from "./open-stage.ts";
import { collectRedriven, findRedriven, peekRedriven } from "./redriven.ts";

/**
 * The dead letters of a stage: those in its table, and what SQS gave up on, joined by their ids.
 */
export interface StageLetters {
  /** `hidden`: messages in dead-letter queues that SQS does not show yet. */
  list(
    filter: DeadLetterFilter,
  ): Promise<{ readonly letters: readonly DeadLetterSummary[]; readonly hidden: number }>;
  get(id: string): Promise<DeadLetter | null>;
  /** `under_way`: their replay is on its way; left, where they are not named. */
  purge(filter: DeadLetterFilter): Promise<{ purged: number; under_way: number }>;
  /**
   * Moves the dead-letter queues' contents to the letters, and sends those chosen to their actors'
   * queues.
   */
  replay(filter: DeadLetterFilter, options: LetterReplayOptions): Promise<LetterReplayAnswer>;
}

export interface LetterReplayOptions {
  readonly dryRun: boolean;
  /** `N/s`. */
  readonly rate?: string;
  readonly onProgress?: (sent: number) => void;
}

export function stageLetters(stage: OpenStage): StageLetters {
  const letters = dynamoDeadLetters({ ...stage.table, objects: stage.objects });

  /** Of the table. */
  async function listed(filter: DeadLetterFilter): Promise<readonly ListedLetter[]> {
    const { ids, ...rest } = filter;
    const found = await letters.listed(rest);
    const wanted = ids === undefined ? null : new Set(ids);
    return found.filter(({ id }) => wanted === null || wanted.has(id));
  }

  async function collected(filter: DeadLetterFilter) {
    await collectRedriven(stage, letters.put);
    const chosen = await listed(filter);
    const isLeft = ({ replayed_ms }: ListedLetter) =>
      replayed_ms !== null && filter.ids === undefined;
    return {
      matched: chosen.length,
      free: chosen.filter((letter) => !isLeft(letter)),
      inFlight: chosen.filter(isLeft).length,
    };
  }

  return {
    async list(filter) {
      const [inTable, { letters: redriven, hidden }] = await Promise.all([
        listed(filter),
        peekRedriven(stage),
      ]);
      const known = new Set(inTable.map(({ id }) => id));
      const isWanted = letterSelection(filter);
      const added = redriven.filter((letter) => isWanted(letter) && !known.has(letter.id));
      const shown = inTable.map(({ replayed_ms: _, ...letter }) => letter);
      return { letters: [...shown, ...added], hidden };
    },
    async get(id) {
      const letter = await letters.get(id);
      if (letter !== null) return letter;
      return findRedriven(stage, id);
    },
    async purge(filter) {
      const { free, inFlight } = await collected(filter);
      await letters.remove(free.map(({ id }) => id));
      return { purged: free.length, under_way: inFlight };
    },
    async replay(filter, { dryRun, rate, onProgress = () => {} }) {
      const sender = letterSender(stage, letters, await stage.topology(), rate);
      if (dryRun) {
        const { letters: found } = await this.list(filter);
        return { dry_run: true, matched: found.length, refused: sender.refused(found) };
      }
      const { matched, free, inFlight } = await collected(filter);
      const refused = sender.refused(free);
      const no = new Set(refused.map(({ id }) => id));
      const going = free.filter(({ id }) => !no.has(id));
      await sender.sendAll(going, onProgress);
      return { dry_run: false, matched, started: going.length, under_way: inFlight, refused };
    },
  };
}
