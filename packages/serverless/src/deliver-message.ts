import {
  type Admission,
  type AttemptState,
  admitDelivery,
  attemptEntry,
  type CallResult,
  CLOSED,
  circuitEntry,
  compilePolicy,
  concludeAttempt,
  type Delivery,
  type DeliveryPolicy,
  deliveryEntry,
  interpolate,
  isBuried,
  isExpired,
  NO_ATTEMPTS,
  type Outcome,
} from "@orgloop/core";
import { type Clock, callActor, waitUntil } from "@orgloop/host";
import { type Actor, type DeadLetterStore, type DeadReason, messageOf } from "@orgloop/sdk";
import type { AttemptRecord, AttemptStore, SharedRouteStates } from "@orgloop/stores/dynamodb";
import { type ActorMessage, attemptsKey } from "./actor-message.ts";
import { buryDelivery, forgetLetter } from "./burial.ts";
import type { FlowLog } from "./flow-log.ts";
import type { Secrets } from "./secrets.ts";

export interface DeliveryHost {
  /** Rejects where it cannot run: no fault of what is delivered to it. */
  readonly openActor: (id: string) => Promise<Actor>;
  readonly attempts: AttemptStore;
  readonly routeStates: Pick<SharedRouteStates, "update">;
  readonly deadLetters: DeadLetterStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly flow: FlowLog;
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

/** How much of the invocation is left. */
export interface Budget {
  remainingMs(): number;
  /** Attempts made in this invocation. */
  attempts: number;
}

/** `settled`: it is done with. `hold`: it comes again at `untilMs`. */
export type Verdict =
  | { readonly kind: "settled" }
  | { readonly kind: "hold"; readonly untilMs: number };

/** What an invocation needs after its last attempt: to write the outcome, hide what comes again, answer. */
const MARGIN_MS = 5_000;
/**
 * For so long, in all, a delivery may wait inside the invocation: a receive costs more. The other groups of the batch wait with it.
 */
const SHORT_MS = 1_000;
/** How long an actor that does not mind its signal is waited for. */
const RELEASE_MS = 1_000;

const SETTLED: Verdict = { kind: "settled" };

/** Takes one delivery as far as it goes now: core decides, this attempts, remembers and buries. Rejects where a store does. */
export async function deliverMessage(
  held: HeldDelivery,
  host: DeliveryHost,
  budget: Budget,
): Promise<Verdict> {
  const { message, receives } = held;
  const { clock, attempts, flow } = host;
  const delivery = await resolved(message, host.secrets);
  const { event, route } = delivery;
  const policy = compilePolicy(await host.secrets.resolve(`route "${route}"`, message.policy));
  const key = attemptsKey(delivery);
  const kept = receives > 1 ? await attempts.load(key) : null;
  let state = kept?.state ?? NO_ATTEMPTS;
  let reservedAtMs = kept?.reservedAtMs ?? null;
  const starts = kept?.starts ?? 0;

  const keep = (record: Partial<AttemptRecord>): Promise<void> =>
    attempts.save(key, { state, starts: 0, reservedAtMs, heldUntilMs: null, ...record });
  const forget = async (): Promise<void> => {
    if (kept !== null || receives > 1) await attempts.forget(key);
  };
  const giveUp = async (reason: DeadReason, last: AttemptState): Promise<Verdict> => {
    await buryDelivery(delivery, reason, last, clock.now(), host);
    await forget();
    return SETTLED;
  };

  if (receives > 1 && kept === null && (await isBuried(delivery, host.deadLetters))) return SETTLED;
  if (held.excess) {
    const attempt = state.attempts;
    flow.log({ ...deliveryEntry(delivery), phase: "pipeline.backpressure", attempt });
    return giveUp("backpressure", state);
  }
  if (held.tooOld || isExpired(delivery, policy, clock.now())) return giveUp("expired", state);
  if (starts >= policy.retry.maxAttempts) return giveUp("poison", killedState(state, starts));
  const actor = await host.openActor(delivery.actor);
  let waitsUntilMs = kept?.heldUntilMs ?? 0;
  let waitedMs = 0;

  for (;;) {
    const waitMs = waitsUntilMs - clock.now();
    if (waitMs > 0) {
      waitedMs += waitMs;
      const short = waitedMs <= SHORT_MS && budget.remainingMs() >= waitMs + MARGIN_MS;
      if (!short) return hold(waitsUntilMs, flow);
      await waitUntil(clock, waitsUntilMs, new AbortController().signal);
    }
    const timeoutMs = attemptTime(policy, budget);
    if (timeoutMs === null) return { kind: "hold", untilMs: clock.now() };
    const admission = await admit(delivery.route, policy, reservedAtMs, host);
    if (admission.kind === "hold") {
      if (admission.by === "rate" && reservedAtMs === null) {
        flow.log({ ...deliveryEntry(delivery), phase: "rate.limited" });
      }
      if (admission.reservedAtMs !== reservedAtMs) {
        reservedAtMs = admission.reservedAtMs;
        await keep({ starts });
      }
      waitsUntilMs = admission.untilMs;
      continue;
    }
    budget.attempts += 1;
    // A message that comes a second time may be what ended the function the first time.
    if (receives > 1) await attempts.start(key);
    const attempt = { delivery, deliveryId: message.delivery_id, state, policy, timeoutMs };
    const outcome = await attemptOnce({ ...attempt, actor, admission }, host);
    reservedAtMs = null;
    if (outcome.kind === "delivered") {
      await forgetLetter(delivery, host.deadLetters);
      await forget();
      flow.count("lag", Math.max(0, clock.now() - Date.parse(event.timestamp)));
      return SETTLED;
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
  { delivery, unresolved }: ActorMessage,
  secrets: Secrets,
): Promise<Delivery> {
  if (unresolved !== true) return delivery;
  const config = await secrets.resolve(`route "${delivery.route}"`, delivery.config);
  return { ...delivery, config: interpolate(config, delivery.event) };
}

function killedState(state: AttemptState, starts: number): AttemptState {
  const lastError = `the function ended ${starts} times during its attempts`;
  return { ...state, attempts: starts, firstError: state.firstError ?? lastError, lastError };
}

function hold(untilMs: number, flow: FlowLog): Verdict {
  flow.count("held");
  return { kind: "hold", untilMs };
}

/**
 * How long an attempt may take now; null: the invocation has not enough time left. The first one of an invocation gets what there is: a
 * route that was given a longer timeout than its function has would otherwise wait for ever.
 */
function attemptTime({ timeoutMs }: DeliveryPolicy, budget: Budget): number | null {
  const leftMs = budget.remainingMs() - RELEASE_MS - MARGIN_MS;
  if (leftMs >= timeoutMs) return timeoutMs;
  return budget.attempts === 0 && leftMs > 0 ? leftMs : null;
}

async function admit(
  route: string,
  policy: DeliveryPolicy,
  reservedAtMs: number | null,
  { routeStates, clock }: DeliveryHost,
): Promise<Admission> {
  let admission = admitDelivery(
    { breaker: CLOSED, rateMs: null },
    policy,
    reservedAtMs,
    clock.now(),
  );
  if (policy.breaker === null && policy.rate === null) return admission;
  await routeStates.update(route, (shared) => {
    const { breaker, rateMs, version } = shared;
    admission = admitDelivery({ breaker, rateMs }, policy, reservedAtMs, clock.now());
    return { ...admission.gates, version };
  });
  return admission;
}

interface Attempt {
  readonly delivery: Delivery;
  readonly state: AttemptState;
  readonly policy: DeliveryPolicy;
  readonly timeoutMs: number;
  readonly actor: Actor;
  readonly deliveryId: string;
  readonly admission: Extract<Admission, { kind: "attempt" }>;
}

async function attemptOnce(attempt: Attempt, host: DeliveryHost): Promise<Outcome> {
  const { delivery, state, timeoutMs, admission, actor, deliveryId } = attempt;
  const { clock, flow } = host;
  const about = deliveryEntry(delivery);
  const number = state.attempts + 1;
  if (admission.probe) flow.log({ ...about, phase: "circuit.half_open", attempt: number });
  flow.log({ ...about, phase: "deliver.attempt", attempt: number });
  const startedMs = clock.now();
  const options = { actor, deliveryId, timeoutMs, releaseMs: RELEASE_MS, clock };
  const result = await call(() => callActor(delivery, number, options));
  const endedMs = clock.now();
  const outcome = await conclude(result, attempt, host);
  flow.log(attemptEntry(delivery, outcome, number, endedMs - startedMs));
  flow.count(outcome.kind === "delivered" ? "delivered" : "failed");
  return outcome;
}

/** The outcome, with the route's breaker as it is by now, and as it is then. */
async function conclude(
  result: CallResult,
  attempt: Attempt,
  host: DeliveryHost,
): Promise<Outcome> {
  const { delivery, state, policy, admission } = attempt;
  const { clock, flow } = host;
  const facts = {
    state,
    probe: admission.probe,
    policy,
    nowMs: clock.now(),
    random: clock.random,
  };
  let { outcome } = concludeAttempt(result, { ...facts, breaker: admission.gates.breaker });
  if (policy.breaker === null) return outcome;
  try {
    const { before, after } = await host.routeStates.update(delivery.route, (shared) => {
      const concluded = concludeAttempt(result, { ...facts, breaker: shared.breaker });
      outcome = concluded.outcome;
      return { ...shared, breaker: concluded.breaker };
    });
    const entry = circuitEntry(delivery, state.attempts + 1, before.breaker, after.breaker);
    if (entry !== null) {
      flow.log(entry);
      flow.count(entry.phase === "circuit.open" ? "breakersOpened" : "breakersClosed");
    }
  } catch (error) {
    // What the actor has said counts, whether or not the breaker can be told of it.
    flow.log({ ...deliveryEntry(delivery), phase: "system.error", error: messageOf(error) });
  }
  return outcome;
}

async function call(deliver: () => ReturnType<Actor["deliver"]>): Promise<CallResult> {
  try {
    return { receipt: await deliver() };
  } catch (error) {
    return { error };
  }
}
