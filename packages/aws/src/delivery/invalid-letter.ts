import { createHash } from "node:crypto";
import { unroutableLetter } from "@orgloop/engine";
import { type DeadLetter, hasCode, messageOf } from "@orgloop/sdk";

/** Characters of an unreadable message that its letter keeps. */
const KEPT_CHARACTERS = 10_000;

/**
 * True where a message can never be read: OrgLoop did not write it, or what it stands for is gone.
 * Any other error may pass.
 */
export function isUnreadable(error: unknown): boolean {
  return hasCode(error, "MESSAGE_UNREADABLE") || hasCode(error, "OBJECT_MISSING");
}

/** What is known of a message whatever it holds. */
export interface UnreadableMessage {
  readonly messageId: string;
  readonly body: string;
  /** Its group, or the queue that it was found in. */
  readonly source: string;
  readonly sentMs: number;
}

/**
 * The letter of a message that can never be read; at the head of its group it would hold up the
 * others for ever.
 */
export function invalidLetter(
  { messageId, body, source, sentMs }: UnreadableMessage,
  error: unknown,
  nowMs: number,
): DeadLetter {
  const hash = createHash("sha256").update(messageId).digest("hex").slice(0, 32);
  const event = {
    id: `evt_${hash}`,
    timestamp: new Date(sentMs).toISOString(),
    source,
    type: "resource.changed",
    provenance: { platform: "sqs", message_id: messageId },
    payload: { body: body.slice(0, KEPT_CHARACTERS) },
    trace_id: `trc_${hash}`,
  } as const;
  return unroutableLetter(event, messageOf(error), nowMs, "invalid");
}
