import type { DrainAnswer } from "@orgloop/engine";
import type { Command } from "../command.ts";
import { CommandError, type ExitStatus } from "../command-error.ts";
import { withInboxes } from "../events/inbox-access.ts";
import { textTable } from "../terminal/text-table.ts";

export interface DrainFlags {
  readonly key: string;
  readonly limit?: string;
  readonly format: "json" | "text";
}

/** `orgloop inbox drain --key KEY` (v1alpha1, section 9): what it prints is gone from the inbox. */
export const inboxDrain: Command<DrainFlags> = async (context, _args, { key, limit, format }) => {
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit)) {
    throw new CommandError("USAGE", `--limit: found "${limit}", expected a whole number above 0`);
  }
  const most = limit === undefined ? undefined : Number(limit);
  return withInboxes<ExitStatus>(context, async (inboxes) => {
    const { answer, done } = await inboxes.drain(key, most);
    const text = format === "json" ? JSON.stringify(answer, null, 2) : drainedText(answer);
    context.output.result(answer, text);
    await done();
    return 0;
  });
};

function drainedText({ events, remaining }: DrainAnswer): string {
  const rows = events.map(({ id, timestamp, type, source }) => [timestamp, type, source, id]);
  const left = remaining > 0 ? `, ${remaining} more wait` : "";
  const lines = [`Drained ${events.length} event${events.length === 1 ? "" : "s"}${left}`];
  if (rows.length > 0) lines.push(textTable(["TIME", "TYPE", "SOURCE", "ID"], rows));
  return lines.join("\n");
}
