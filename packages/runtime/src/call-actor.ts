import type { Delivery } from "@orgloop/core";
import { type Actor, type DeliveryReceipt, formatDuration, OrgLoopError } from "@orgloop/sdk";
import { type Clock, callAt } from "./clock.ts";

export interface CallActorOptions {
  readonly actor: Actor;
  readonly deliveryId: string;
  readonly timeoutMs: number;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
  readonly clock: Clock;
}

/**
 * One call of an actor that ends within the timeout, whether the actor minds the signal or not. Rejects with `TIMEOUT`,
 * `DRAINING`, or what the actor threw.
 */
export async function callActor(
  delivery: Delivery,
  attempt: number,
  { actor, deliveryId, timeoutMs, abandon, clock }: CallActorOptions,
): Promise<DeliveryReceipt | undefined> {
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (code: string, message: string): void => {
    const error = new OrgLoopError(code, message);
    controller.abort(error);
    ended.reject(error);
  };
  const onAbandon = (): void => end("DRAINING", `${delivery.actor}: the process stopped waiting`);
  if (abandon.aborted) onAbandon();
  abandon.addEventListener("abort", onAbandon, { once: true });
  const cancel = callAt(clock, clock.now() + timeoutMs, () =>
    end("TIMEOUT", `${delivery.actor}: no answer within ${formatDuration(timeoutMs)}`),
  );
  try {
    const { event, route, config, prompt, replay } = delivery;
    const context = { route, config, attempt, replay, deliveryId, signal: controller.signal };
    const call = actor.deliver(event, prompt === undefined ? context : { ...context, prompt });
    return await Promise.race([call, ended.promise]);
  } finally {
    cancel();
    abandon.removeEventListener("abort", onAbandon);
  }
}
