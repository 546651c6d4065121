import {
  type Admission,
  admitDelivery,
  attemptEntry,
  type CallResult,
  CLOSED,
  type Clock,
  callActor,
  circuitEntry,
  concludeAttempt,
  type Delivery,
  type DeliveryPolicy,
  deliveryEntry,
  gatesAfter,
  isInboxNotice,
  type KnownSecrets,
  type Outcome,
  type ReservedTime,
} from "@orgloop/engine";
import { type Actor, type AttemptState, messageOf } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { SharedRouteStates } from "../state/route-states.ts";
import { RELEASE_MS } from "./invocation.ts";

export interface AttemptHost {
  readonly routeStates: Pick<SharedRouteStates, "update">;
  readonly clock: Clock;
  readonly flow: FlowLog;
  readonly known: Pick<KnownSecrets, "mask">;
}

/** Whether the delivery may be attempted now, by the route's state as it is now; what that takes of it is written. */
export async function admit(
  route: string,
  policy: DeliveryPolicy,
  reserved: ReservedTime | null,
  { routeStates, clock }: AttemptHost,
): Promise<Admission> {
  let admission = admitDelivery({ breaker: CLOSED, rateMs: null }, policy, reserved, clock.now());
  if (policy.breaker === null && policy.rate === null) return admission;
  await routeStates.update(route, (shared) => {
    const { breaker, rateMs, version } = shared;
    admission = admitDelivery({ breaker, rateMs }, policy, reserved, clock.now());
    return { ...admission.gates, version };
  });
  return admission;
}

export interface Attempt {
  readonly delivery: Delivery;
  readonly state: AttemptState;
  readonly policy: DeliveryPolicy;
  readonly timeoutMs: number;
  readonly actor: Actor;
  readonly deliveryId: string;
  readonly admission: Extract<Admission, { kind: "attempt" }>;
}

/** One attempt, logged, and what follows from it: the route's breaker knows of it by then. */
export async function attemptOnce(attempt: Attempt, host: AttemptHost): Promise<Outcome> {
  const { delivery, state, timeoutMs, admission, actor, deliveryId } = attempt;
  const { clock, flow, known } = host;
  const { mask } = known;
  const about = deliveryEntry(delivery);
  const number = state.attempts + 1;
  if (admission.probe) flow.log({ ...about, phase: "circuit.half_open", attempt: number });
  flow.log({ ...about, phase: "deliver.attempt", attempt: number });
  const startedMs = clock.now();
  const onMissing = () => flow.count("missing");
  const options = { actor, deliveryId, timeoutMs, releaseMs: RELEASE_MS, onMissing, clock, mask };
  const result = await call(() => callActor(delivery, number, options));
  const endedMs = clock.now();
  const outcome = await conclude(result, attempt, host);
  flow.log(attemptEntry(delivery, outcome, number, endedMs - startedMs));
  if (outcome.kind !== "delivered") flow.count("failed");
  // The events that a notice tells of were counted when they were kept.
  else if (!isInboxNotice(delivery.event)) flow.count("delivered");
  return outcome;
}

/** The outcome, with the route's breaker as it is by now, and as it is then. */
async function conclude(result: CallResult, attempt: Attempt, host: AttemptHost): Promise<Outcome> {
  const { delivery, state, policy, admission } = attempt;
  const { clock, flow } = host;
  const facts = {
    state,
    openings: admission.gates.breaker.openings,
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
      return { ...shared, ...gatesAfter(shared, concluded.breaker, policy, facts.nowMs) };
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
