import {
  burialEntry,
  type Delivery,
  deliveryLetter,
  deliveryLetterId,
  type KnownSecrets,
  letterOfReplay,
  maskedLetter,
} from "@orgloop/engine";
import type { AttemptState, DeadLetter, DeadLetterStore, DeadReason } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";

export interface BurialOptions {
  readonly deadLetters: DeadLetterStore;
  readonly flow: FlowLog;
  readonly known: Pick<KnownSecrets, "mask">;
}

/**
 * Makes a dead letter durable and says so. Rejects where the store does: then nothing is settled.
 */
export async function bury(
  given: DeadLetter,
  { deadLetters, flow, known }: BurialOptions,
): Promise<void> {
  const letter = maskedLetter(given, known.mask);
  await deadLetters.put(letter);
  flow.log(burialEntry(letter));
  flow.count("deadLetters");
}

export async function buryDelivery(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  nowMs: number,
  options: BurialOptions,
): Promise<void> {
  await buryLetter(deliveryLetter(delivery, reason, state, nowMs), options);
}

/** The letter of a replay keeps what is known of the attempts before. */
export async function buryLetter(letter: DeadLetter, options: BurialOptions): Promise<void> {
  const { replay = 0 } = letter.event;
  const earlier = replay > 0 ? await options.deadLetters.get(letter.id) : null;
  const isOlder = earlier !== null && (earlier.event.replay ?? 0) < replay;
  await bury(isOlder ? letterOfReplay(letter, earlier) : letter, options);
}

/** A replay that was delivered: nothing is left of the letter that it came of. */
export async function forgetLetter(
  { event, route, replay }: Delivery,
  deadLetters: DeadLetterStore,
): Promise<void> {
  if (replay > 0) await deadLetters.remove([deliveryLetterId(event.id, route)]);
}
