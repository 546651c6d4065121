import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { type LetterFlags, letterFilter, withLetters } from "../events/dead-letter-access.ts";
import { wholeLetterIds } from "../events/whole-id.ts";

export interface DeadLettersPurgeOptions extends LetterFlags {
  readonly yes?: boolean;
}

/**
 * `orgloop dead-letters purge`: deletes the letters chosen (all, where nothing is said) after
 * asking.
 */
export const deadLettersPurge: Command<DeadLettersPurgeOptions> = (context, given, flags) => {
  letterFilter(flags);
  return withLetters(context, async (access) => {
    const ids = await wholeLetterIds(access, given);
    const filter = letterFilter(flags, ids);
    const { output } = context;
    const wanted = new Set(ids);
    const chosen: string[] = [];
    for await (const { id } of access.list(filter)) {
      if (ids.length === 0 || wanted.has(id)) chosen.push(id);
    }
    if (chosen.length === 0) {
      output.result({ purged: 0, under_way: 0 }, "There are no dead letters that fit.");
      return 0;
    }
    const count = chosen.length === 1 ? "1 dead letter" : `${chosen.length} dead letters`;
    const agreed = flags.yes || (await output.confirm(`Delete ${count} for good?`));
    if (agreed === null) {
      const message = `nothing was deleted of ${count}: --yes agrees where nobody can be asked`;
      throw new CommandError("NOT_CONFIRMED", message);
    }
    if (!agreed) {
      output.result({ purged: 0, under_way: 0 }, "Nothing was deleted.");
      return 1;
    }
    // Those that were shown: what has come since was not agreed to.
    const done = await access.purge({ ids: chosen });
    const left = done.under_way > 0 ? ` ${done.under_way} are being replayed and were left.` : "";
    output.result(done, `Deleted ${done.purged}.${left}`);
    return 0;
  });
};
