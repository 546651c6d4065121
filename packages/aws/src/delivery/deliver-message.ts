import {
  compilePolicy,
  type Delivery,
  deliveryEntry,
  fillRoute,
  inboxTerms,
  isBuried,
  isExpired,
  isInboxNotice,
  longestWaitMs,
  NO_ATTEMPTS,
  waitUntil,
  withNoticeKey,
} from "@orgloop/engine";
import type { Actor, AttemptState, DeadLetterStore, DeadReason } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { Secrets } from "../functions/secrets.ts";
import type { DeliveryInbox } from "../inbox/delivery-inbox.ts";
import { type ActorMessage, attemptsKey } from "../queue/actor-message.ts";
import type { AttemptRecord, AttemptStore } from "../state/attempts.ts";
import { type AttemptHost, admit, attemptOnce } from "./attempt-once.ts";
import { buryDelivery, forgetLetter } from "./burial.ts";
import { attemptTime, type Invocation, MARGIN_MS } from "./invocation.ts";

export interface DeliveryHost extends AttemptHost {
  /** Null: it does not exist yet. Rejects where it cannot run: no fault of what is delivered to it. */
  readonly openActor: (id: string) => Promise<Actor | null>;
  readonly attempts: AttemptStore;
  readonly deadLetters: DeadLetterStore;
  readonly secrets: Secrets;
  /** Opened when the first delivery to an inbox comes. */
  readonly inbox: () => Promise<DeliveryInbox>;
}

/** A message as it was received. */
export interface HeldDelivery {
  readonly message: ActorMessage;
  /** 1 the first time. */
  readonly receives: number;
  /** It has waited longer than messages may. */
  readonly tooOld: boolean;
  /** Its actor's queue is over its bound, and it is among the oldest. */
  readonly excess: boolean;
}

/**
 * `settled`: it is done with. `hold`: it comes again at `untilMs`. `alone`: the function may have died of it, so it is to be taken again when
 * no other delivery is under way.
 */
export type Verdict =
  | { readonly kind: "settled" }
  | { readonly kind: "alone" }
  | { readonly kind: "hold"; readonly untilMs: number };

/** For so long, in all, a delivery may wait inside the invocation: a receive costs more. */
const SHORT_MS = 1_000;
/** How soon an actor that came meanwhile gets what waited for it, until the receives become too many (`holdSeconds`). */
const UNTIL_EXISTS_MS = 300_000;
/** One start may have been beside others, before it was known that the function does not survive one of them. */
const LEAST_POISON_STARTS = 2;

const SETTLED: Verdict = { kind: "settled" };

/** Takes one delivery as far as it goes now: core decides, this attempts, remembers and buries. Rejects where a store does. */
export async function deliverMessage(
  held: HeldDelivery,
  host: DeliveryHost,
  invocation: Invocation,
): Promise<Verdict> {
  const { message, receives } = held;
  const { clock, attempts, flow } = host;
  // What is too old is not read any further: that may fail for ever, and a day later SQS drops it.
  const { tooOld } = held;
  const read = tooOld ? message.delivery : await resolved(message, host.secrets);
  const delivery = withNoticeKey(read);
  const { event, route } = delivery;
  const terms = tooOld ? null : inboxTerms(delivery);
  if (terms !== null) {
    await (await host.inbox()).keep(message, delivery, terms);
    await forgetLetter(delivery, host.deadLetters);
    return SETTLED;
  }
  const key = attemptsKey(delivery);
  const kept = receives > 1 ? await attempts.load(key) : null;
  let state = kept?.state ?? NO_ATTEMPTS;
  let reserved = kept?.reserved ?? null;
  const starts = kept?.starts ?? 0;

  const keep = (record: Partial<AttemptRecord>): Promise<void> =>
    attempts.save(key, { state, starts: 0, reserved, heldUntilMs: null, ...record });
  const forget = async (): Promise<void> => {
    if (kept !== null || receives > 1) await attempts.forget(key);
  };
  const settled = async (delivered: boolean): Promise<Verdict> => {
    if (isInboxNotice(event)) await (await host.inbox()).told(delivery, delivered);
    await forget();
    return SETTLED;
  };
  const giveUp = async (reason: DeadReason, last: AttemptState): Promise<Verdict> => {
    await buryDelivery(delivery, reason, last, clock.now(), host);
    return settled(false);
  };

  if (
    receives > 1 &&
    kept === null &&
    (await isBuried(delivery, host.deadLetters, message.matched_at))
  ) {
    return settled(false);
  }
  if (held.excess) {
    const attempt = state.attempts;
    flow.log({ ...deliveryEntry(delivery), phase: "pipeline.backpressure", attempt });
    return giveUp("backpressure", state);
  }
  if (tooOld) return giveUp("expired", state);
  const policy = compilePolicy(await host.secrets.resolve(`route "${route}"`, message.policy));
  if (isExpired(delivery, policy, clock.now())) return giveUp("expired", state);
  if (starts >= Math.max(policy.retry.maxAttempts, LEAST_POISON_STARTS)) {
    return giveUp("poison", killedState(state, starts));
  }
  if (starts > 0 && !invocation.alone) return { kind: "alone" };
  const actor = await host.openActor(delivery.actor);
  if (actor === null) return hold(clock.now() + UNTIL_EXISTS_MS, flow);
  // A function's clock that ran ahead must not hold it for longer than its policy.
  let waitsUntilMs = Math.min(kept?.heldUntilMs ?? 0, clock.now() + longestWaitMs(policy));
  let waitedMs = 0;

  const attemptNow = async () => {
    const timeoutMs = attemptTime(policy, invocation);
    if (timeoutMs === null) return null;
    const admission = await admit(route, policy, reserved, host);
    if (admission.kind === "hold") return { admission };
    invocation.attempts += 1;
    const ended = Promise.withResolvers<void>();
    if (admission.probe) invocation.probes.set(route, ended.promise);
    try {
      // A message that comes a second time may be what ended the function the first time.
      if (receives > 1) await attempts.start(key);
      const attempt = { delivery, deliveryId: message.delivery_id, state, policy, timeoutMs };
      return { outcome: await attemptOnce({ ...attempt, actor, admission }, host) };
    } finally {
      if (admission.probe) invocation.probes.delete(route);
      ended.resolve();
    }
  };

  for (;;) {
    const waitMs = waitsUntilMs - clock.now();
    if (waitMs > 0) {
      waitedMs += waitMs;
      const short = waitedMs <= SHORT_MS && invocation.remainingMs() >= waitMs + MARGIN_MS;
      if (!short) return hold(waitsUntilMs, flow);
      await waitUntil(clock, waitsUntilMs, new AbortController().signal);
    }
    const step = await invocation.limit(attemptNow);
    if (step === null) return { kind: "hold", untilMs: clock.now() };
    if ("admission" in step) {
      const { admission } = step;
      if (admission.by === "rate" && reserved === null) {
        flow.log({ ...deliveryEntry(delivery), phase: "rate.limited" });
      }
      if (admission.reserved?.atMs !== reserved?.atMs) {
        reserved = admission.reserved;
        await keep({ starts });
      }
      waitsUntilMs = admission.untilMs;
      // How long a probe elsewhere takes nobody knows; the end of one in this batch is seen here.
      const probe = admission.by === "breaker" ? invocation.probes.get(route) : undefined;
      if (probe !== undefined) waitsUntilMs = await probe.then(() => 0);
      continue;
    }
    const { outcome } = step;
    reserved = null;
    if (outcome.kind === "delivered") {
      await forgetLetter(delivery, host.deadLetters);
      flow.count("lag", Math.max(0, clock.now() - Date.parse(event.timestamp)));
      return settled(true);
    }
    state = outcome.state;
    if (outcome.kind === "dead") return giveUp(outcome.reason, state);
    waitsUntilMs = outcome.kind === "retry" ? outcome.atMs : outcome.untilMs;
    // An open breaker may close before its time: the route's state says so then.
    await keep({ heldUntilMs: outcome.kind === "retry" ? waitsUntilMs : null });
  }
}

/** References filled in, then placeholders: a text of the event is never taken for a reference. */
async function resolved(
  { delivery, unresolved, about }: ActorMessage,
  secrets: Secrets,
): Promise<Delivery> {
  if (unresolved !== true) return delivery;
  const { route, prompt } = delivery;
  const config = await secrets.resolve(`route "${route}"`, delivery.config);
  return { ...delivery, ...fillRoute({ route, config, prompt }, about ?? delivery.event) };
}

function killedState(state: AttemptState, starts: number): AttemptState {
  const lastError = `the function ended ${starts} times during its attempts`;
  return { ...state, attempts: starts, firstError: state.firstError ?? lastError, lastError };
}

function hold(untilMs: number, flow: FlowLog): Verdict {
  flow.count("held");
  return { kind: "hold", untilMs };
}
