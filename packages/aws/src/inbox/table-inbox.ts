import type { FlowLog } from "../functions/flow-log.ts";
import { dynamoInboxes } from "../state/inbox/inboxes.ts";
import type { StateTable } from "../state/state-table.ts";
import { type DeliveryInbox, deliveryInbox } from "./delivery-inbox.ts";
import type { InboxHost } from "./inbox-host.ts";

/** The inboxes of the state table; a module of its own, since few deliver functions have any. */
export function tableInbox(
  host: Omit<InboxHost, "inboxes"> & { readonly state: StateTable; readonly flow: FlowLog },
): DeliveryInbox {
  const { state, objects, clock } = host;
  const { now, random } = clock;
  return deliveryInbox({ ...host, inboxes: dynamoInboxes({ ...state, objects, now, random }) });
}
