import { MAX_INBOX_TTL } from "@orgloop/config/serverless-limits";
import {
  changeInbox,
  type Delivery,
  type InboxTerms,
  inboxEntry,
  noticeEntry,
  queuedEntry,
} from "@orgloop/engine";
import { parseDuration } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { ActorMessage } from "../queue/actor-message.ts";
import { originOf } from "./entry-origin.ts";
import type { InboxHost } from "./inbox-host.ts";
import { sendNotice } from "./send-notice.ts";

/**
 * The inboxes, for a deliver function. What rejects is to be tried again with the message, and
 * changes nothing twice.
 */
export interface DeliveryInbox {
  /**
   * Keeps a delivery for the actor to fetch, durably, and tells the actor where it does not know
   * yet.
   */
  keep(message: ActorMessage, delivery: Delivery, terms: InboxTerms): Promise<void>;
  /** A notification was delivered, or given up. */
  notified(notice: Delivery, delivered: boolean): Promise<void>;
}

export function deliveryInbox(host: InboxHost & { readonly flow: FlowLog }): DeliveryInbox {
  const { inboxes, clock, flow } = host;
  return {
    async keep(message, delivery, terms) {
      const startedMs = clock.now();
      const { sessionKey } = terms;
      const ttlMs = Math.min(terms.ttlMs, parseDuration(MAX_INBOX_TTL));
      const entry = inboxEntry(delivery, { ...terms, ttlMs }, startedMs);
      const origin = JSON.stringify(originOf(message));
      const { noticeId } = await inboxes.add({ entry, origin }, (before) =>
        changeInbox(before, { kind: "queued" }),
      );
      flow.log(queuedEntry(delivery, sessionKey, clock.now() - startedMs));
      flow.count("delivered");
      if (noticeId !== null) await sendNotice(sessionKey, noticeId, host);
    },
    async notified(notice, delivered) {
      const sessionKey = String(notice.event.payload.session_key);
      const kind = delivered ? "notice_delivered" : "notice_failed";
      const { state, noticeId } = await inboxes.change(sessionKey, (before) =>
        changeInbox(before, { kind }),
      );
      const { pending } = state;
      flow.log(noticeEntry({ sessionKey, pending, delivered }, notice));
      if (noticeId !== null) await sendNotice(sessionKey, noticeId, host);
    },
  };
}
