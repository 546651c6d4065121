import type { Command } from "../command.ts";
import { askInbox } from "../inbox-access.ts";
import { textTable } from "../text-table.ts";

interface Sessions {
  readonly sessions: readonly { readonly sessionKey: string; readonly pending: number }[];
}

/** `orgloop inbox status [--key KEY]`: how many events wait, of one session or of each. */
export const inboxStatus: Command<{ readonly key?: string }> = async (context, _args, { key }) => {
  const { output } = context;
  if (key !== undefined) {
    const status = await askInbox<{ pending: number }>(context, "status", { session_key: key });
    output.result(status, `${key}: ${status.pending} waiting`);
    return 0;
  }
  const list = await askInbox<Sessions>(context, "list", {});
  const rows = list.sessions.map(({ sessionKey, pending }) => [sessionKey, String(pending)]);
  output.result(
    list,
    rows.length === 0 ? "No events wait in an inbox." : textTable(["SESSION", "WAITING"], rows),
  );
  return 0;
};
