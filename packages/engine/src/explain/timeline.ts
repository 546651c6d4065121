import type { LogEntry } from "@orgloop/sdk";
import type { EventTraces } from "./event-traces.ts";
import type { RouteOutcome } from "./route-outcomes.ts";

/** One thing that happened to an event, or meanwhile to a route that it was on. */
export interface TimelineStep {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** The log's; `record` and `letter` where the log has not kept it. */
  readonly phase: LogEntry["phase"] | "record" | "letter";
  /** In words. */
  readonly text: string;
  readonly route: string | null;
  readonly actor: string | null;
  readonly transform: string | null;
  readonly attempt: number | null;
  /** 0, or the replay that it was part of. */
  readonly replay: number;
}

/** The steps of an event, oldest first. */
export function timelineOf(
  id: string,
  { entries, letters, routed }: EventTraces,
  outcomes: readonly RouteOutcome[],
): readonly TimelineStep[] {
  const steps = entries.flatMap((entry) => {
    const text = entry.event_id === id ? ownText(entry) : meanwhile(entry, entries, id, outcomes);
    return text === null ? [] : [stepOf(entry, text)];
  });
  const isLogged = (phases: readonly string[], route?: string | null) =>
    entries.some(
      (entry) =>
        entry.event_id === id &&
        phases.includes(entry.phase) &&
        (route ?? undefined) === entry.route,
    );
  if (!entries.some(({ event_id, phase }) => event_id === id && phase.startsWith("route."))) {
    for (const { at, replay, dropped } of routed) {
      const but = dropped.length === 0 ? "" : `; dropped on ${dropped.join(", ")}`;
      steps.push({ ...NOTHING, at, phase: "record", text: `routed${but}`, replay });
    }
  }
  for (const { route, actor, reason, attempts, last_at: at, last_error } of letters) {
    if (isLogged(["deliver.dead_letter"], route)) continue;
    const text = `dead letter: ${reason}${last_error === null ? "" : `: ${last_error}`}`;
    steps.push({ ...NOTHING, at, phase: "letter", text, route, actor, attempt: attempts });
  }
  return steps.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
}

const NOTHING = { route: null, actor: null, transform: null, attempt: null, replay: 0 };

function stepOf(entry: LogEntry, text: string): TimelineStep {
  const { timestamp: at, phase, route = null, target: actor = null } = entry;
  const { transform = null, attempt = null, replay = 0 } = entry;
  return { at, phase, text, route, actor, transform, attempt, replay };
}

/** What happened to the breaker or the rate of a route while the event was on it. */
function meanwhile(
  entry: LogEntry,
  entries: readonly LogEntry[],
  id: string,
  outcomes: readonly RouteOutcome[],
): string | null {
  const { phase, route, timestamp, event_id, metadata } = entry;
  if (!phase.startsWith("circuit.") && phase !== "rate.limited") return null;
  const outcome = outcomes.find((one) => one.route === route);
  if (outcome === undefined) return null;
  const began = entries.find((one) => one.event_id === id && one.route === route)?.timestamp ?? "~";
  const isOver = outcome.state !== "waiting" && timestamp > outcome.at;
  if (timestamp < began || isOver) return null;
  const by = event_id === undefined ? "" : ` (by ${event_id})`;
  if (phase === "circuit.open") return `the breaker opened until ${metadata?.until}${by}`;
  if (phase === "circuit.half_open") return `the breaker let one through to probe${by}`;
  if (phase === "circuit.close") return `the breaker closed${by}`;
  return `the rate limit holds ${metadata?.waiting ?? "deliveries"} back`;
}

type Say = (entry: LogEntry) => string | null;

const because = ({ error }: LogEntry): string => (error === undefined ? "" : `: ${error}`);

const WORDS: Partial<Record<LogEntry["phase"], Say>> = {
  "source.emit": ({ result, replay }) => (result === "replay" ? `replay ${replay}` : "taken in"),
  "source.repeat": ({ result }) => `sent again by its source: ${result}`,
  "source.id_reused": ({ result }) => String(result),
  "route.match": () => "matched",
  "route.no_match": () => "no route took it",
  "transform.pass": ({ transform }) => `passed ${transform}`,
  "transform.drop": ({ transform }) => `dropped by ${transform}`,
  "transform.error": (entry) => `${entry.transform} failed${because(entry)}`,
  "transform.error_drop": (entry) => `dropped, since ${entry.transform} failed${because(entry)}`,
  "transform.error_halt": (entry) => `halted, since ${entry.transform} failed${because(entry)}`,
  "deliver.attempt": ({ attempt }) => `attempt ${attempt}`,
  "deliver.success": ({ result }) =>
    result === undefined || result === "delivered" ? "delivered" : `delivered: ${result}`,
  "deliver.failure": (entry) => `attempt ${entry.attempt} failed for good${because(entry)}`,
  "deliver.retry": (entry) =>
    `attempt ${entry.attempt} failed${because(entry)}; again at ${entry.metadata?.retry_at}`,
  "deliver.dead_letter": (entry) => `dead letter: ${entry.result}${because(entry)}`,
  "deliver.skipped": ({ result }) => String(result),
  "pipeline.backpressure": ({ target }) => `left the queue of ${target}, which is full`,
  "circuit.open": ({ metadata }) => `opened the breaker until ${metadata?.until}`,
  "circuit.half_open": () => "let through by the open breaker, to probe",
  "circuit.close": () => "closed the breaker",
  "rate.limited": () => "held back by the rate limit",
  "audit.flag": ({ result }) => `flagged: ${result}`,
  "loop.detected": (entry) => `seen before in its trace${because(entry)}`,
  "loop.circuit_broken": (entry) => `ended as a loop${because(entry)}`,
  "system.error": ({ error }) => error ?? null,
};

const ownText: Say = (entry) => WORDS[entry.phase]?.(entry) ?? null;
