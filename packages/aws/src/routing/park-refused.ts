import { type Clock, deliveryLetter, NO_ATTEMPTS } from "@orgloop/engine";
import { messageOf } from "@orgloop/sdk";
import { type DeadLetterWriterOptions, writeLetter } from "../delivery/write-dead-letter.ts";
import type { Refusal } from "../queue/queue-refusal.ts";
import type { RefusingQueues } from "../state/refusing-queues.ts";
import { accept, fail, type Sending, type SentBatch } from "./sent-batch.ts";

export interface ParkingHost extends DeadLetterWriterOptions {
  readonly refusing: RefusingQueues;
  readonly clock: Pick<Clock, "now">;
}

/** A delivery that is not sent now. */
export interface Refused extends Sending {
  /** Null: it was not tried, since it must not overtake what waits. */
  readonly refusal: { readonly kind: Refusal; readonly error: Error } | null;
}

/**
 * Makes dead letters, `refused`, of what a queue does not take: in the order in which they came, of
 * each message group. The letters are durable before the queue counts as one that refuses, so that
 * who sends them later finds them. What cannot be parked makes its event fail.
 */
export async function parkRefused(
  actor: string,
  refused: readonly Refused[],
  batch: SentBatch,
  host: ParkingHost,
): Promise<void> {
  const groups = Map.groupBy(refused, ({ message }) => message.group);
  const parked = (
    await Promise.all(Array.from(groups.values(), (group) => buryInOrder(group, batch, host)))
  ).flat();
  // A message that no queue takes says nothing of the queue, and is not tried again by itself.
  const waiting = parked.filter(({ refusal }) => refusal?.kind !== "message");
  try {
    if (waiting.length > 0) {
      const tried = waiting.filter(({ refusal }) => refusal !== null);
      await host.refusing.park(actor, {
        refused: new Set(tried.map(({ record }) => record)).size,
        parked: waiting.length,
        groups: [...new Set(tried.map(({ message }) => message.group))],
      });
    }
  } catch (error) {
    for (const one of parked) fail(one, error, batch, host);
    return;
  }
  for (const one of parked) accept(one, batch);
}

/** Gives those whose letters are durable. */
async function buryInOrder(
  group: readonly Refused[],
  batch: SentBatch,
  host: ParkingHost,
): Promise<readonly Refused[]> {
  for (const [at, one] of group.entries()) {
    try {
      const error = one.refusal === null ? WAITS : messageOf(one.refusal.error);
      const state = { ...NO_ATTEMPTS, firstError: error, lastError: error };
      await writeLetter(deliveryLetter(one.delivery, "refused", state, host.clock.now()), host);
    } catch (error) {
      for (const rest of group.slice(at)) fail(rest, error, batch, host);
      return group.slice(0, at);
    }
  }
  return group;
}

const WAITS = "it waits behind others that its actor's queue has refused";
