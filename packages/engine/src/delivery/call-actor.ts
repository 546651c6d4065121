import { type Actor, type DeliveryReceipt, formatDuration, OrgLoopError } from "@orgloop/sdk";
import { maskedError } from "../plugins/masked-error.ts";
import type { MaskSecrets } from "../plugins/secret-mask.ts";
import { type Clock, callAt } from "../ports/clock.ts";
import type { OnMissing } from "../routing/fill-route.ts";
import type { Delivery } from "./delivery.ts";

export interface CallActorOptions {
  readonly actor: Actor;
  readonly deliveryId: string;
  readonly timeoutMs: number;
  /** Absent: nothing gives up on it before its timeout. */
  readonly abandonment?: Abandonment;
  /** How long an actor that does not mind its signal is waited for; default 10 s. */
  readonly releaseMs?: number;
  /** Told of placeholders of the actor's templates that lead nowhere. */
  readonly onMissing?: OnMissing | undefined;
  readonly clock: Clock;
  /** What is thrown has no secret in its message. */
  readonly mask: MaskSecrets;
}

/**
 * How long an actor may go on after its signal, before it is left to itself: a command that is
 * being killed needs some.
 */
const RELEASE_MS = 10_000;

/**
 * One call of an actor. Its signal is aborted at the timeout, and the call ends when the actor has
 * let go: the next attempt must not run beside it. An actor that does not mind its signal is left
 * to itself {@link RELEASE_MS} later, on a drain at once. Rejects with `TIMEOUT`, `DRAINING`, or
 * what the actor threw.
 */
export async function callActor(
  delivery: Delivery,
  attempt: number,
  {
    actor,
    deliveryId,
    timeoutMs,
    abandonment,
    releaseMs = RELEASE_MS,
    onMissing,
    clock,
    mask,
  }: CallActorOptions,
): Promise<DeliveryReceipt | undefined> {
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  let failure: OrgLoopError | undefined;
  const end = (code: string, message: string): void => {
    if (failure !== undefined) return;
    failure = new OrgLoopError(code, message);
    controller.abort(failure);
  };
  let cancel = callAt(clock, clock.now() + timeoutMs, () => {
    end("TIMEOUT", `${delivery.actor}: no answer within ${formatDuration(timeoutMs)}`);
    cancel = callAt(clock, clock.now() + releaseMs, () => ended.reject(failure));
  });
  const forget = abandonment?.onAbandon(() => {
    end("DRAINING", `${delivery.actor}: the process stopped waiting`);
    ended.reject(failure);
  });
  try {
    const { event, route, config, prompt, replay } = delivery;
    const call = actor.deliver(event, {
      route,
      config,
      attempt,
      replay,
      deliveryId,
      signal: controller.signal,
      ...(prompt && { prompt }),
      ...(onMissing && { onMissing: (path) => onMissing(route, path) }),
    });
    return await Promise.race([call, ended.promise]);
  } catch (error) {
    throw failure ?? maskedError(error, mask);
  } finally {
    cancel();
    forget?.();
  }
}

/**
 * When a drain gives up on what is in flight. One listener serves every attempt: Node looks through
 * all of a signal's at each change.
 */
export interface Abandonment {
  /** Calls back once, at once where it is over already; the result forgets. */
  onAbandon(callback: () => void): () => void;
  readonly aborted: boolean;
}

export function abandonment(signal: AbortSignal): Abandonment {
  const callbacks = new Set<() => void>();
  signal.addEventListener(
    "abort",
    () => {
      for (const callback of callbacks) callback();
      callbacks.clear();
    },
    { once: true },
  );
  return {
    get aborted() {
      return signal.aborted;
    },
    onAbandon(callback) {
      if (signal.aborted) {
        callback();
        return () => {};
      }
      const own = () => callback();
      callbacks.add(own);
      return () => callbacks.delete(own);
    },
  };
}
