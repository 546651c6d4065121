import type { Command } from "../command.ts";
import type { ExitStatus } from "../command-error.ts";
import { withInboxes } from "../events/inbox-access.ts";
import { textTable } from "../terminal/text-table.ts";

/** `orgloop inbox status [--key KEY]`: how many events wait, of one session or of each. */
export const inboxStatus: Command<{ readonly key?: string }> = (context, _args, { key }) =>
  withInboxes<ExitStatus>(context, async (inboxes) => {
    const { output } = context;
    if (key !== undefined) {
      const pending = await inboxes.pending(key);
      output.result({ pending }, `${key}: ${pending} waiting`);
      return 0;
    }
    const sessions = await inboxes.list();
    const rows = sessions.map(({ sessionKey, pending }) => [sessionKey, String(pending)]);
    output.result(
      { sessions },
      rows.length === 0 ? "No events wait in an inbox." : textTable(["SESSION", "WAITING"], rows),
    );
    return 0;
  });
