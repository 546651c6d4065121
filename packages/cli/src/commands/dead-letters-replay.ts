import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { accessLetters, type LetterFlags, letterFilter } from "../dead-letter-access.ts";
import { needsProcess, replayRate } from "../replay-rate.ts";
import { callProcess } from "../running-process.ts";

export interface DeadLettersReplayOptions extends LetterFlags {
  readonly dryRun?: boolean;
  readonly rate?: string;
}

/** What the process answers. */
interface Answer {
  readonly dry_run: boolean;
  readonly matched: number;
  readonly started?: number;
  readonly under_way?: number;
  readonly refused: readonly { readonly id: string; readonly error: string }[];
}

/**
 * `orgloop dead-letters replay`: puts the letters chosen into their actors' queues and does not wait for them. Exit status 1 where one
 * of them was refused, or an id is unknown.
 */
export const deadLettersReplay: Command<DeadLettersReplayOptions> = async (context, ids, flags) => {
  const { output, home } = context;
  const { dryRun = false, rate } = flags;
  const json = { ...letterFilter(flags, ids), ...replayRate(rate), dry_run: dryRun };
  const { process } = await accessLetters(context);
  if (process === null) throw needsProcess();
  const answer = await callProcess<Answer>(home, process, "/control/dead-letters/replay", { json });
  const { matched, started, under_way = 0, refused } = answer;
  if (matched < new Set(ids).size && ids.length > 0) {
    throw new CommandError(
      "NO_DEAD_LETTER",
      `of ${ids.length} ids ${matched} are dead letters as asked for${dryRun ? "" : `; ${started} are being replayed`}`,
    );
  }
  for (const { id, error } of refused) output.warn(`${id}: ${error}`);
  const willGo = matched - refused.length;
  const text = dryRun
    ? `${willGo} would be replayed.`
    : `${started} are being replayed${under_way > 0 ? `, ${under_way} were already` : ""}.`;
  output.result(answer, refused.length > 0 ? `${text} ${refused.length} cannot be.` : text);
  return refused.length > 0 ? 1 : 0;
};
