import { createHash } from "node:crypto";
import {
  type Delivery,
  deadLetterEntry,
  deliveryLetter,
  deliveryLetterId,
  type KnownSecrets,
  letterOfReplay,
  maskedLetter,
  unroutableLetter,
} from "@orgloop/engine";
import {
  type AttemptState,
  type DeadLetter,
  type DeadLetterStore,
  type DeadReason,
  hasCode,
  messageOf,
} from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";

export interface DeadLetterWriterOptions {
  readonly deadLetters: DeadLetterStore;
  readonly flow: FlowLog;
  readonly known: Pick<KnownSecrets, "mask">;
}

/**
 * Makes a dead letter durable and says so. Rejects where the store does: then nothing is settled.
 */
export async function writeDeadLetter(
  given: DeadLetter,
  { deadLetters, flow, known }: DeadLetterWriterOptions,
): Promise<void> {
  const letter = maskedLetter(given, known.mask);
  await deadLetters.put(letter);
  flow.log(deadLetterEntry(letter));
  flow.count("deadLetters");
}

export async function writeDeliveryLetter(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  nowMs: number,
  options: DeadLetterWriterOptions,
): Promise<void> {
  await writeLetter(deliveryLetter(delivery, reason, state, nowMs), options);
}

/** The letter of a replay keeps what is known of the attempts before. */
export async function writeLetter(
  letter: DeadLetter,
  options: DeadLetterWriterOptions,
): Promise<void> {
  const { replay = 0 } = letter.event;
  const earlier = replay > 0 ? await options.deadLetters.get(letter.id) : null;
  const isOlder = earlier !== null && (earlier.event.replay ?? 0) < replay;
  await writeDeadLetter(isOlder ? letterOfReplay(letter, earlier) : letter, options);
}

/** A replay was delivered: nothing is left of the letter that it came of. */
export async function forgetLetter(
  { event, route }: Delivery,
  deadLetters: DeadLetterStore,
): Promise<void> {
  await deadLetters.remove([deliveryLetterId(event.id, route)]);
}

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
