import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { type LetterFlags, letterFilter, withLetters } from "../events/dead-letter-access.ts";
import { replayRate } from "../events/replay-rate.ts";
import { wholeLetterIds } from "../events/whole-id.ts";

export interface DeadLettersReplayOptions extends LetterFlags {
  readonly dryRun?: boolean;
  readonly rate?: string;
}

/**
 * `orgloop dead-letters replay`: puts the letters chosen into their actors' queues and does not
 * wait for them. Exit status 1 where one of them was refused, or an id is unknown.
 */
export const deadLettersReplay: Command<DeadLettersReplayOptions> = async (context, ids, flags) => {
  const { output } = context;
  const { dryRun = false } = flags;
  const rate = replayRate(flags.rate);
  letterFilter(flags);
  const answer = await withLetters(context, async (access) => {
    const filter = letterFilter(flags, await wholeLetterIds(access, ids));
    return access.replay(filter, { dryRun, ...rate });
  });
  const { matched, started, under_way = 0, refused } = answer;
  if (matched < new Set(ids).size && ids.length > 0) {
    throw new CommandError(
      "NO_DEAD_LETTER",
      `of ${ids.length} ids ${matched} are dead letters that fit${dryRun ? "" : `; ${started} are being replayed`}`,
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
