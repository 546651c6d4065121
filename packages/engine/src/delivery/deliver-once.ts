import { type Actor, type LogEntry, messageOf } from "@orgloop/sdk";
import type { MaskSecrets } from "../plugins/secret-mask.ts";
import type { Clock } from "../ports/clock.ts";
import { attemptEntry, circuitEntry, deliveryEntry } from "../ports/log-entries.ts";
import type { OnMissing } from "../routing/fill-route.ts";
import type { Admission } from "./admit-delivery.ts";
import type { BreakerState } from "./breaker.ts";
import { type Abandonment, callActor } from "./call-actor.ts";
import { type CallResult, type Conclusion, concludeAttempt } from "./conclude-attempt.ts";
import type { AttemptState, Delivery, DeliveryPolicy, Outcome } from "./delivery.ts";

/** A delivery whose turn has come. */
export interface DueDelivery {
  readonly delivery: Delivery;
  readonly state: AttemptState;
  readonly policy: DeliveryPolicy;
  /** The same for every attempt. */
  readonly deliveryId: string;
  /** The policy's, or what time the host has left. */
  readonly timeoutMs: number;
  /** Deaths of the host at its attempts; 0 of one that has not come back. */
  readonly deaths: number;
}

/** What may be called: an actor, which stays open while it is used. */
export interface ActorInUse {
  use<Result>(run: (actor: Actor) => Promise<Result>): Promise<Result>;
}

/** An attempt that may begin. */
export interface Admitted {
  readonly kind: "attempt";
  readonly probe: boolean;
  /** The route's, which let it. */
  readonly breaker: BreakerState;
}

export type NotAdmitted = Extract<Admission, { kind: "hold" }>;

/** The route's breaker before and after a change of it. */
export interface BreakerChange {
  readonly before: BreakerState;
  readonly after: BreakerState;
}

/** What a host brings to one attempt. */
export interface DeliveryPorts {
  readonly clock: Clock;
  /** What it is that dies, for people: `process`, `function`. */
  readonly host: string;
  /** Asks rate and breaker of the route (`admitDelivery`), and keeps what that takes of them. */
  readonly admit: () => Admitted | NotAdmitted | Promise<Admitted | NotAdmitted>;
  /**
   * False: other deliveries are under way, which are not to be taken for what the host dies of.
   * Absent: the host sees to that itself.
   */
  readonly isAlone?: boolean;
  /** Null: there is none. */
  readonly actor: () => ActorInUse | null | Promise<ActorInUse | null>;
  /** Counts the attempt's beginning, where the host may die of it. */
  readonly begin: (() => Promise<void>) | undefined;
  /** Changes the route's breaker in one step; `change` is pure and may be called again. */
  readonly changeBreaker: (
    change: (before: BreakerState) => BreakerState,
  ) => BreakerChange | Promise<BreakerChange>;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly mask: MaskSecrets;
  readonly onMissing?: OnMissing;
  /** The breaker has opened, opened again or closed. */
  readonly onBreaker: (change: BreakerChange) => void;
  readonly onError?: (error: unknown) => void;
  readonly onAttempted: (outcome: Outcome, durationMs: number) => void;
  /** How long an actor that does not mind its signal is waited for; default 10 s. */
  readonly releaseMs?: number;
  /** Absent: the host gives up on nothing that is in flight. */
  readonly abandonment?: Abandonment;
}

/** What comes of a delivery's turn: the outcome of an attempt, or why there was none. */
export type Verdict =
  | Outcome
  | { readonly kind: "not admitted"; readonly hold: NotAdmitted }
  | { readonly kind: "no actor" }
  /** The host has died of it before, and others are under way beside it: it is to come again. */
  | { readonly kind: "not alone" }
  /** The host has given up on the attempt; the delivery comes again. */
  | { readonly kind: "abandoned" };

/**
 * One turn of a delivery, the same on every host: poison → rate → breaker → attempt → conclude.
 * The host waits, settles or gives up as the verdict says. Rejects where a port does.
 */
export async function deliverOnce(due: DueDelivery, ports: DeliveryPorts): Promise<Verdict> {
  const poison = poisonState(due.state, due.deaths, due.policy, ports.host);
  if (poison !== null) return { kind: "dead", reason: "poison", state: poison };
  if (due.deaths > 0 && ports.isAlone === false) return { kind: "not alone" };
  const actor = await ports.actor();
  if (actor === null) return { kind: "no actor" };
  const admitted = await ports.admit();
  if (admitted.kind === "hold") return { kind: "not admitted", hold: admitted };
  await ports.begin?.();
  return attempt(due, actor, admitted, ports);
}

async function attempt(
  due: DueDelivery,
  actor: ActorInUse,
  admitted: Admitted,
  ports: DeliveryPorts,
): Promise<Verdict> {
  const { delivery, state } = due;
  const { clock, log } = ports;
  const number = state.attempts + 1;
  const about = { ...deliveryEntry(delivery), attempt: number };
  if (admitted.probe) log({ ...about, phase: "circuit.half_open" });
  log({ ...about, phase: "deliver.attempt" });
  const startedMs = clock.now();
  const result = await call(due, number, actor, ports);
  const durationMs = clock.now() - startedMs;
  const outcome = await conclude(result, due, admitted, ports);
  if (ports.abandonment?.aborted && outcome.kind !== "delivered") return { kind: "abandoned" };
  log(attemptEntry(delivery, outcome, number, durationMs));
  ports.onAttempted(outcome, durationMs);
  return outcome;
}

async function call(
  { delivery, deliveryId, timeoutMs }: DueDelivery,
  number: number,
  { use }: ActorInUse,
  ports: DeliveryPorts,
): Promise<CallResult> {
  try {
    const receipt = await use((actor) =>
      callActor(delivery, number, { ...ports, actor, deliveryId, timeoutMs }),
    );
    return { receipt };
  } catch (error) {
    ports.onError?.(error);
    return { error };
  }
}

/**
 * The outcome, by the route's breaker as it is by now; the breaker learns of it in the same step.
 */
async function conclude(
  result: CallResult,
  { delivery, state, policy }: DueDelivery,
  { probe, breaker: admittedBy }: Admitted,
  { clock, log, changeBreaker, onBreaker }: DeliveryPorts,
): Promise<Outcome> {
  const { openings } = admittedBy;
  const facts = { state, openings, probe, policy, nowMs: clock.now(), random: clock.random };
  const concludeBy = (breaker: BreakerState) => concludeAttempt(result, { ...facts, breaker });
  if (policy.breaker === null) return concludeBy(admittedBy).outcome;
  const tries: Conclusion[] = [];
  try {
    const change = await changeBreaker((breaker) => {
      const conclusion = concludeBy(breaker);
      tries.push(conclusion);
      return conclusion.breaker;
    });
    const entry = circuitEntry(delivery, state.attempts + 1, change.before, change.after);
    if (entry !== null) {
      log(entry);
      onBreaker(change);
    }
  } catch (error) {
    // What the actor has said counts, whether or not the breaker can hear of it.
    log({ ...deliveryEntry(delivery), phase: "system.error", error: messageOf(error) });
  }
  return (tries.at(-1) ?? concludeBy(admittedBy)).outcome;
}

/**
 * One death may have been a neighbour's, before anyone knew that the host does not survive one of
 * them.
 */
const MIN_POISON_DEATHS = 2;

/**
 * A delivery that is given up as `poison`, as its letter tells it: the host has died at its
 * attempts as often as it may be attempted, and twice at least. Null: it is not.
 */
export function poisonState(
  state: AttemptState,
  deaths: number,
  { retry }: Pick<DeliveryPolicy, "retry">,
  host: string,
): AttemptState | null {
  if (deaths < Math.max(retry.maxAttempts, MIN_POISON_DEATHS)) return null;
  const lastError = `the ${host} ended ${deaths} times during its attempts`;
  return { ...state, attempts: deaths, firstError: state.firstError ?? lastError, lastError };
}
