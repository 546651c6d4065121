import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { withLetters } from "../events/dead-letter-access.ts";
import { wholeLetterIds } from "../events/whole-id.ts";

/** `orgloop dead-letters show ID`: the letter with its event. */
export const deadLettersShow: Command = async (context, [id = ""]) => {
  const letter = await withLetters(context, async (access) => {
    const letter = await access.get(id);
    if (letter !== null) return letter;
    const [whole = id] = await wholeLetterIds(access, [id]);
    return whole === id ? null : access.get(whole);
  });
  if (letter === null) throw new CommandError("NO_DEAD_LETTER", `there is no dead letter "${id}"`);
  const { event, ...rest } = letter;
  const facts = Object.entries(rest).map(([name, value]) => `${name.padEnd(13)}${value ?? "-"}`);
  context.output.result(letter, [...facts, "event:", JSON.stringify(event, null, 2)].join("\n"));
  return 0;
};
