import type { Command } from "../command.ts";
import { type LetterFlags, letterFilter, withLetters } from "../dead-letter-access.ts";
import { textTable } from "../text-table.ts";

/** `orgloop dead-letters list` (`spec/cli.md`): also while nothing runs. */
export const deadLettersList: Command<LetterFlags> = async (context, _args, flags) => {
  const filter = letterFilter(flags);
  const letters = await withLetters(context, (access) => access.list(filter));
  if (letters.length === 0) context.output.note("no dead letters are as asked for");
  const rows = letters.map(
    ({ id, event_id, route, actor, reason, attempts, last_at, last_error }) => [
      id,
      event_id,
      route ?? "-",
      actor ?? "-",
      reason,
      String(attempts),
      last_at,
      last_error ?? "",
    ],
  );
  const heading = ["ID", "EVENT", "ROUTE", "ACTOR", "REASON", "ATTEMPTS", "LAST AT", "LAST ERROR"];
  context.output.result(letters, rows.length === 0 ? "" : textTable(heading, rows));
  return 0;
};
