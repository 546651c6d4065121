import type { OrgLoopEvent } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { askInbox } from "../inbox-access.ts";
import { textTable } from "../text-table.ts";

export interface DrainFlags {
  readonly key: string;
  readonly limit?: string;
  readonly format: "json" | "text";
}

interface Drained {
  readonly events: readonly OrgLoopEvent[];
  readonly remaining: number;
  readonly continuation: string | null;
}

/** `orgloop inbox drain --key KEY` (v1alpha1, section 9): what it prints is gone from the inbox. */
export const inboxDrain: Command<DrainFlags> = async (context, _args, { key, limit, format }) => {
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit)) {
    throw new CommandError("USAGE", `--limit: found "${limit}", expected a whole number above 0`);
  }
  const query = { session_key: key, ...(limit !== undefined && { limit }) };
  const drained = await askInbox<Drained>(context, "drain", query);
  const text = format === "json" ? JSON.stringify(drained, null, 2) : drainedText(drained);
  context.output.result(drained, text);
  return 0;
};

function drainedText({ events, remaining }: Drained): string {
  const rows = events.map(({ id, timestamp, type, source }) => [timestamp, type, source, id]);
  const left = remaining > 0 ? `, ${remaining} more wait` : "";
  const lines = [`Drained ${events.length} event${events.length === 1 ? "" : "s"}${left}`];
  if (rows.length > 0) lines.push(textTable(["TIME", "TYPE", "SOURCE", "ID"], rows));
  return lines.join("\n");
}
