import { type DeadLetterSummary, shortId } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import type { ExitStatus } from "../command-error.ts";
import { type LetterFlags, letterFilter, withLetters } from "../events/dead-letter-access.ts";
import { textTable } from "../terminal/text-table.ts";

const HEADING = ["ID", "EVENT", "ROUTE", "ACTOR", "REASON", "ATTEMPTS", "LAST AT", "LAST ERROR"];
/** Letters that are put under each other: they are printed as they are read. */
const ROWS = 500;

/** `orgloop dead-letters list` (`docs/commands.md`): also while nothing runs. */
export const deadLettersList: Command<LetterFlags> = (context, _args, flags) => {
  const filter = letterFilter(flags);
  const { output } = context;
  return withLetters<ExitStatus>(context, async (access) => {
    const letters = access.list(filter);
    const count = context.flags.json
      ? await writeJson(letters, output.write)
      : await writeTables(letters, output.write);
    if (count === 0) output.note("there are no dead letters that fit");
    return 0;
  });
};

type Letters = AsyncIterable<DeadLetterSummary>;

/** One document. */
async function writeJson(letters: Letters, write: (text: string) => void): Promise<number> {
  let count = 0;
  for await (const letter of letters) {
    write(`${count === 0 ? "[" : ","}\n${JSON.stringify(letter)}`);
    count += 1;
  }
  write(count === 0 ? "[]\n" : "\n]\n");
  return count;
}

async function writeTables(letters: Letters, write: (text: string) => void): Promise<number> {
  let count = 0;
  let rows: string[][] = [];
  const flush = (): void => {
    if (rows.length > 0) write(`${textTable(HEADING, rows)}\n`);
    rows = [];
  };
  for await (const letter of letters) {
    rows.push(rowOf(letter));
    count += 1;
    if (rows.length === ROWS) flush();
  }
  flush();
  return count;
}

function rowOf(letter: DeadLetterSummary): string[] {
  const { id, event_id, route, actor, reason, attempts, last_at, last_error } = letter;
  const error = last_error ?? "";
  return [
    shown(id),
    shortId(event_id),
    route ?? "-",
    actor ?? "-",
    reason,
    String(attempts),
    last_at,
    error,
  ];
}

/** With its prefix, by which it is told from an event's. */
const shown = (id: string): string => id.slice(0, id.indexOf(shortId(id)) + shortId(id).length);
