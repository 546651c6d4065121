import {
  type Admitted,
  admitDelivery,
  type BreakerChange,
  type BreakerState,
  type Clock,
  type Delivery,
  type DeliveryPolicy,
  deliverOnce,
  deliveryEntry,
  HEALTHY,
  isInboxNotice,
  type KnownSecrets,
  type NotAdmitted,
  type Outcome,
  type ReservedTime,
  tripped,
  type Verdict,
  withBreaker,
} from "@orgloop/engine";
import { type Actor, messageOf } from "@orgloop/sdk";
import pLimit, { type LimitFunction } from "p-limit";
import type { FlowLog } from "../functions/flow-log.ts";
import type { SharedRouteStates } from "../state/route-states.ts";
import type { KnownAttempts } from "./known-attempts.ts";

/** What the deliveries of a batch share. */
export interface Invocation {
  remainingMs(): number;
  /** Attempts that were begun. */
  attempts: number;
  /** Runs so many attempts at a time as the actor may get from one invocation. */
  readonly limit: LimitFunction;
  /** The probes under way here, by their routes: each resolves when it has ended. */
  readonly probes: Map<string, Promise<void>>;
  /** True when no other delivery of the batch is under way, nor will be. */
  alone: boolean;
}

/**
 * What an invocation needs after its last attempt: to write the outcome, hide what comes again,
 * answer.
 */
export const MARGIN_MS = 5_000;
/** How long an actor that does not mind its signal is waited for. */
const RELEASE_MS = 1_000;

export function newInvocation(remainingMs: () => number, together: number): Invocation {
  return { remainingMs, attempts: 0, limit: pLimit(together), probes: new Map(), alone: false };
}

/**
 * How long an attempt may take now; null: the invocation has not enough time left. The first one of
 * an invocation gets what there is: a route that was given a longer timeout than its function has
 * would otherwise wait for ever.
 */
function attemptTime({ timeoutMs }: DeliveryPolicy, invocation: Invocation): number | null {
  const leftMs = invocation.remainingMs() - RELEASE_MS - MARGIN_MS;
  if (leftMs >= timeoutMs) return timeoutMs;
  return invocation.attempts === 0 && leftMs > 0 ? leftMs : null;
}

export interface AttemptPorts {
  /**
   * Null: it does not exist yet. Rejects where it cannot run: no fault of what is delivered to it.
   */
  readonly openActor: (id: string) => Promise<Actor | null>;
  readonly routeStates: Pick<SharedRouteStates, "update">;
  readonly clock: Clock;
  readonly flow: FlowLog;
  readonly known: Pick<KnownSecrets, "mask">;
}

export interface Turn {
  readonly delivery: Delivery;
  readonly policy: DeliveryPolicy;
  readonly deliveryId: string;
}

/**
 * One turn of a delivery, within what time the invocation has; null: there is none for an attempt.
 */
export async function deliverInTime(
  { delivery, policy, deliveryId }: Turn,
  known: KnownAttempts,
  host: AttemptPorts,
  invocation: Invocation,
): Promise<Verdict | null> {
  const timeoutMs = attemptTime(policy, invocation);
  if (timeoutMs === null) return null;
  const { route } = delivery;
  const { clock, flow } = host;
  const ended = Promise.withResolvers<void>();
  const { state, deaths } = known;
  let unopened: unknown;
  try {
    return await deliverOnce(
      { delivery, state, policy, deliveryId, timeoutMs, deaths },
      {
        host: "function",
        clock,
        async actor() {
          const actor = await host.openActor(delivery.actor).catch((error) => {
            unopened = error;
            throw error;
          });
          return actor === null ? null : { use: (run) => run(actor) };
        },
        async admit() {
          const admitted = await admit(route, policy, known.reserved, host);
          if (admitted.kind === "hold") return admitted;
          invocation.attempts += 1;
          if (admitted.probe) invocation.probes.set(route, ended.promise);
          return admitted;
        },
        isAlone: invocation.alone,
        begin: known.begin,
        changeBreaker: (change) => changeBreaker(route, policy, change, host),
        log: flow.log,
        mask: host.known.mask,
        onMissing: () => flow.count("missing"),
        onBreaker: ({ after }) => countBreaker(after, flow),
        onAttempted: (outcome) => countAttempt(delivery, outcome, flow),
        releaseMs: RELEASE_MS,
      },
    );
  } catch (error) {
    if (error !== unopened || isAwsFault(error)) throw error;
    await tripFor(delivery, policy, error, host);
    const hold = await admit(route, policy, known.reserved, host);
    if (hold.kind !== "hold") throw error;
    return { kind: "not admitted", hold };
  } finally {
    if (invocation.probes.get(route) === ended.promise) invocation.probes.delete(route);
    ended.resolve();
  }
}

/**
 * Whether the delivery may be attempted now, by the state that the functions share; what that takes
 * of it is written.
 */
async function admit(
  route: string,
  policy: DeliveryPolicy,
  reserved: ReservedTime | null,
  { routeStates, clock }: AttemptPorts,
): Promise<Admitted | NotAdmitted> {
  let admission = admitDelivery(HEALTHY, policy, reserved, clock.now());
  if (policy.breaker !== null || policy.rate !== null) {
    await routeStates.update(route, (shared) => {
      admission = admitDelivery(shared, policy, reserved, clock.now());
      return admission.state;
    });
  }
  if (admission.kind === "hold") return admission;
  return { kind: "attempt", probe: admission.probe, breaker: admission.state.breaker };
}

async function changeBreaker(
  route: string,
  policy: DeliveryPolicy,
  change: (before: BreakerState) => BreakerState,
  { routeStates, clock }: AttemptPorts,
): Promise<BreakerChange> {
  const { before, after } = await routeStates.update(route, (shared) =>
    withBreaker(shared, change(shared.breaker), policy, clock.now()),
  );
  return { before: before.breaker, after: after.breaker };
}

/** SSM or Secrets Manager did not answer: that says nothing of the actor's configuration. */
const isAwsFault = (error: unknown): boolean => "$metadata" in Object(error);

/**
 * An actor that cannot be opened, since its configuration or a secret is wrong, is ill as one is
 * that does not answer: its breaker says so to everybody who looks.
 */
async function tripFor(
  delivery: Delivery,
  policy: DeliveryPolicy,
  cause: unknown,
  host: AttemptPorts,
): Promise<void> {
  const { clock, flow, known } = host;
  const about = deliveryEntry(delivery);
  const error = known.mask(`the actor cannot be opened: ${messageOf(cause)}`);
  flow.log({ ...about, phase: "system.error", error });
  const { breaker } = policy;
  if (breaker === null) return;
  const trip = (before: BreakerState) => tripped(before, breaker, clock.now());
  const { before, after } = await changeBreaker(delivery.route, policy, trip, host);
  if (after.openUntilMs === before.openUntilMs) return;
  const metadata = { until: new Date(after.openUntilMs ?? 0).toISOString() };
  flow.log({ ...about, phase: "circuit.open", error, metadata });
  countBreaker(after, flow);
}

function countBreaker(after: BreakerState, flow: FlowLog): void {
  flow.count(after.openUntilMs === null ? "breakersClosed" : "breakersOpened");
}

function countAttempt({ event }: Delivery, outcome: Outcome, flow: FlowLog): void {
  if (outcome.kind !== "delivered") flow.count("failed");
  // The events that a notice tells of were counted when they were kept.
  else if (!isInboxNotice(event)) flow.count("delivered");
}
