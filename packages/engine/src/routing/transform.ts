import {
  checkTransformed,
  type LogEntry,
  messageOf,
  type OnError,
  OrgLoopError,
  type OrgLoopEvent,
  type Phase,
} from "@orgloop/sdk";

/**
 * A transform as a route uses it: the host has bound its timeout, its context and `on_error` (use,
 * else definition, else pass).
 */
export interface RouteTransform {
  readonly name: string;
  readonly onError: OnError;
  /** False: it may take its time, and runs in a lane of its route and ordering key. */
  readonly inline: boolean;
  readonly execute: (event: OrgLoopEvent) => Promise<OrgLoopEvent | null>;
}

export type TransformResult =
  | { readonly kind: "pass"; readonly event: OrgLoopEvent }
  | { readonly kind: "drop" | "halt"; readonly transform: string };

const ON_ERROR_PHASE = {
  pass: "transform.error",
  drop: "transform.error_drop",
  halt: "transform.error_halt",
} as const satisfies Record<OnError, Phase>;

/**
 * Runs a route's transforms in order on the event; the first that drops or halts ends it (v1alpha1,
 * section 5).
 */
export async function applyTransforms(
  event: OrgLoopEvent,
  transforms: readonly RouteTransform[],
  now: () => number,
  log: (entry: Omit<LogEntry, "timestamp">) => void,
): Promise<TransformResult> {
  let current = event;
  for (const { name, onError, inline, execute } of transforms) {
    const startedMs = now();
    const entry = (phase: Phase, error?: string) =>
      log({
        phase,
        transform: name,
        duration_ms: now() - startedMs,
        ...(error === undefined ? {} : { error }),
      });
    try {
      const next = await execute(current);
      if (next === null) {
        entry("transform.drop");
        return { kind: "drop", transform: name };
      }
      const made = next === current ? current : transformed(next, event);
      // What is no JSON (a cycle, a BigInt) could be neither sent nor kept.
      if (!inline) JSON.stringify(made);
      current = made;
      entry("transform.pass");
    } catch (error) {
      entry(ON_ERROR_PHASE[onError], messageOf(error));
      if (onError !== "pass") return { kind: onError, transform: name };
    }
  }
  return { kind: "pass", event: current };
}

/**
 * What a transform made of an event, known by the event's own id, with its time, provenance and
 * trace where the answer has none. Throws `NO_EVENT` for what is none.
 */
function transformed(next: OrgLoopEvent, event: OrgLoopEvent): OrgLoopEvent {
  const wrong = checkTransformed(next);
  if (wrong !== null) throw new OrgLoopError("NO_EVENT", `it answered no event: ${wrong}`);
  const { id, replay } = event;
  const isWhole = next.timestamp && next.provenance && next.trace_id;
  if (isWhole && next.id === id && next.replay === replay) return next;
  const { replay: _, ...rest } = next;
  const timestamp = next.timestamp ?? event.timestamp;
  const provenance = next.provenance ?? event.provenance;
  const trace_id = next.trace_id ?? event.trace_id;
  return { ...rest, timestamp, provenance, trace_id, id, ...(replay !== undefined && { replay }) };
}
