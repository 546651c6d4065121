import type { InboxState, Notice } from "@orgloop/sdk";

export type { InboxState, Notice } from "@orgloop/sdk";

export const EMPTY_INBOX: InboxState = { pending: 0, notice: "none" };

export type InboxChange =
  | { readonly kind: "queued" }
  /** The actor has fetched so many. */
  | { readonly kind: "drained"; readonly count: number }
  | { readonly kind: "expired"; readonly count: number }
  | { readonly kind: "notice_delivered" }
  /** The notification was given up: the next event tries again. */
  | { readonly kind: "notice_failed" }
  /** After a restart: what waits and was not told is told. */
  | { readonly kind: "resumed" };

/** `notify`: the host is to send a notification now and to say how that ended. */
export interface InboxStep {
  readonly state: InboxState;
  readonly notify: boolean;
}

/**
 * The inbox after a change. While a notification is under way no other is asked for; none is asked
 * for an empty inbox.
 */
export function changeInbox({ pending, notice }: InboxState, change: InboxChange): InboxStep {
  switch (change.kind) {
    case "queued":
      return reported(pending + 1, notice);
    case "resumed":
      return reported(pending, notice);
    case "expired":
      return settled(Math.max(0, pending - change.count), notice);
    case "drained": {
      const left = Math.max(0, pending - change.count);
      const under_way = notice === "sending" || notice === "stale";
      return under_way ? settled(left, "stale") : reported(left, "none");
    }
    case "notice_delivered":
      return notice === "stale" ? reported(pending, "none") : settled(pending, "sent");
    case "notice_failed":
      return settled(pending, "none");
  }
}

function reported(pending: number, notice: Notice): InboxStep {
  if (pending === 0 || notice !== "none") return settled(pending, notice);
  return { state: { pending, notice: "sending" }, notify: true };
}

function settled(pending: number, notice: Notice): InboxStep {
  const kept = pending === 0 && notice === "sent" ? "none" : notice;
  return { state: { pending, notice: kept }, notify: false };
}
