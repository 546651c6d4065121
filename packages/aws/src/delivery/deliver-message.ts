import {
  compilePolicy,
  type Delivery,
  deliveryEntry,
  fillRoute,
  inboxTerms,
  isDeadLetter,
  isExpired,
  isInboxNotice,
  longestWaitMs,
  type NotAdmitted,
  skippedEntry,
  waitUntil,
  withNoticeKey,
} from "@orgloop/engine";
import type { AttemptState, DeadLetterStore, DeadReason } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { Secrets } from "../functions/secrets.ts";
import type { DeliveryInbox } from "../inbox/delivery-inbox.ts";
import type { ActorMessage } from "../queue/actor-message.ts";
import type { AttemptStore } from "../state/attempts.ts";
import {
  type AttemptPorts,
  deliverInTime,
  type Invocation,
  MARGIN_MS,
  type Turn,
} from "./deliver-in-time.ts";
import { type KnownAttempts, knownAttempts } from "./known-attempts.ts";
import { forgetLetter, writeDeliveryLetter } from "./write-dead-letter.ts";

export interface MessagePorts extends AttemptPorts {
  readonly attempts: AttemptStore;
  readonly deadLetters: DeadLetterStore;
  readonly secrets: Secrets;
  /** Opened when the first delivery to an inbox comes. */
  readonly inbox: () => Promise<DeliveryInbox>;
}

/** A message as it was received. */
export interface ReceivedDelivery {
  readonly message: ActorMessage;
  /** 1 the first time. */
  readonly receives: number;
  /** It has waited longer than messages may. */
  readonly tooOld: boolean;
  /** Its actor's queue is over its bound, and it is among the oldest. */
  readonly excess: boolean;
}

/**
 * `settled`: it is done with. `hold`: it comes again at `untilMs`. `alone`: the function may have
 * died of it, so it is to be taken again when no other delivery is under way.
 */
export type Verdict =
  | { readonly kind: "settled" }
  | { readonly kind: "alone" }
  | { readonly kind: "hold"; readonly untilMs: number };

/** For so long, in all, a delivery may wait inside the invocation: a receive costs more. */
const SHORT_MS = 1_000;
/**
 * How soon an actor that came meanwhile gets what waited for it, until the receives become too many
 * (`holdSeconds`).
 */
const UNTIL_EXISTS_MS = 300_000;

const SETTLED: Verdict = { kind: "settled" };

/**
 * Takes one delivery as far as it goes now: the engine decides, this remembers, waits and gives up.
 * Rejects where a store does.
 */
export async function deliverMessage(
  received: ReceivedDelivery,
  host: MessagePorts,
  invocation: Invocation,
): Promise<Verdict> {
  const { message, receives, tooOld } = received;
  // What is too old is not read any further: that may fail for ever, and a day later SQS drops it.
  const read = tooOld ? message.delivery : await resolved(message, host.secrets);
  const delivery = withNoticeKey(read);
  const terms = tooOld ? null : inboxTerms(delivery);
  if (terms !== null) {
    await (await host.inbox()).keep(message, delivery, terms);
    if (delivery.replay > 0) await forgetLetter(delivery, host.deadLetters);
    return SETTLED;
  }
  const known = await knownAttempts(delivery, receives, host);
  const ended = await endedBefore(delivery, received, known, host);
  if (ended !== null) return ended;
  const { route } = delivery;
  const policy = compilePolicy(await host.secrets.resolve(`route "${route}"`, message.policy));
  if (isExpired(delivery, policy, host.clock.now())) {
    return giveUp(delivery, "expired", known.state, known, host);
  }
  const turn = { delivery, policy, deliveryId: message.delivery_id };
  return untilItWaits(turn, known, host, invocation);
}

/** What ends a delivery before any attempt of this receive; null: nothing does. */
async function endedBefore(
  delivery: Delivery,
  { message, receives, excess, tooOld }: ReceivedDelivery,
  known: KnownAttempts,
  host: MessagePorts,
): Promise<Verdict | null> {
  const { state } = known;
  const mayBeDead = receives > 1 && !known.isKept;
  if (mayBeDead && (await isDeadLetter(delivery, host.deadLetters, message.matched_at))) {
    host.flow.log(skippedEntry(delivery.event, delivery));
    host.flow.count("skipped");
    return settle(delivery, false, known, host);
  }
  if (excess) {
    const about = { ...deliveryEntry(delivery), attempt: state.attempts };
    host.flow.log({ ...about, phase: "pipeline.backpressure" });
    return giveUp(delivery, "backpressure", state, known, host);
  }
  return tooOld ? giveUp(delivery, "expired", state, known, host) : null;
}

/**
 * Gives a delivery one turn after the other, until it is settled or has to wait outside of the
 * invocation.
 */
async function untilItWaits(
  turn: Turn,
  known: KnownAttempts,
  host: MessagePorts,
  invocation: Invocation,
): Promise<Verdict> {
  const { delivery, policy } = turn;
  const { clock, flow } = host;
  // A function's clock that ran ahead must not hold it for longer than its policy.
  let waitsUntilMs = Math.min(known.heldUntilMs, clock.now() + longestWaitMs(policy));
  let waitedMs = 0;
  for (;;) {
    const waitMs = waitsUntilMs - clock.now();
    if (waitMs > 0) {
      waitedMs += waitMs;
      const short = waitedMs <= SHORT_MS && invocation.remainingMs() >= waitMs + MARGIN_MS;
      if (!short) return hold(waitsUntilMs, flow);
      await waitUntil(clock, waitsUntilMs, new AbortController().signal);
    }
    const verdict = await invocation.limit(() => deliverInTime(turn, known, host, invocation));
    // No time is left for an attempt.
    if (verdict === null) return { kind: "hold", untilMs: clock.now() };
    switch (verdict.kind) {
      case "abandoned":
        throw new Error("nothing in a function is given up on");
      case "not alone":
        return { kind: "alone" };
      case "no actor":
        return hold(clock.now() + UNTIL_EXISTS_MS, flow);
      case "not admitted":
        waitsUntilMs = await keepAdmission(delivery, verdict.hold, known, host, invocation);
        break;
      case "delivered":
        if (delivery.replay > 0) await forgetLetter(delivery, host.deadLetters);
        flow.count("lag", Math.max(0, clock.now() - Date.parse(delivery.event.timestamp)));
        return settle(delivery, true, known, host);
      case "dead":
        return giveUp(delivery, verdict.reason, verdict.state, known, host);
      default:
        waitsUntilMs = verdict.kind === "retry" ? verdict.atMs : verdict.untilMs;
        // An open breaker may close before its time: the route's state says so then.
        await known.keep({
          state: verdict.state,
          reserved: null,
          deaths: 0,
          heldUntilMs: verdict.kind === "retry" ? waitsUntilMs : 0,
        });
    }
  }
}

/** Until when a delivery waits that was not admitted; the send time that it was given is kept. */
async function keepAdmission(
  delivery: Delivery,
  { by, untilMs, reserved }: NotAdmitted,
  known: KnownAttempts,
  { flow }: MessagePorts,
  { probes }: Invocation,
): Promise<number> {
  if (by === "rate" && known.reserved === null) {
    flow.log({ ...deliveryEntry(delivery), phase: "rate.limited" });
  }
  if (reserved?.atMs !== known.reserved?.atMs) await known.keep({ reserved, heldUntilMs: 0 });
  // How long a probe elsewhere takes nobody knows; the end of one in this batch is seen here.
  const probe = by === "breaker" ? probes.get(delivery.route) : undefined;
  return probe === undefined ? untilMs : probe.then(() => 0);
}

async function settle(
  delivery: Delivery,
  delivered: boolean,
  known: KnownAttempts,
  host: MessagePorts,
): Promise<Verdict> {
  if (isInboxNotice(delivery.event)) await (await host.inbox()).notified(delivery, delivered);
  await known.forget();
  return SETTLED;
}

async function giveUp(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  known: KnownAttempts,
  host: MessagePorts,
): Promise<Verdict> {
  await writeDeliveryLetter(delivery, reason, state, host.clock.now(), host);
  return settle(delivery, false, known, host);
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

function hold(untilMs: number, flow: FlowLog): Verdict {
  flow.count("held");
  return { kind: "hold", untilMs };
}
