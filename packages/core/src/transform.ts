import {
  type LogEntry,
  messageOf,
  type OnError,
  type OrgLoopEvent,
  type Phase,
} from "@orgloop/sdk";

/** A transform as a route uses it: the host has bound its timeout, its context and `on_error` (use, else definition, else pass). */
export interface RouteTransform {
  readonly name: string;
  readonly onError: OnError;
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

/** Runs a route's transforms in order on the event; the first that drops or halts ends it (v1alpha1, section 5). */
export async function applyTransforms(
  event: OrgLoopEvent,
  transforms: readonly RouteTransform[],
  now: () => number,
  log: (entry: Omit<LogEntry, "timestamp">) => void,
): Promise<TransformResult> {
  let current = event;
  for (const { name, onError, execute } of transforms) {
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
      entry("transform.pass");
      current = sameIdentity(next, event);
    } catch (error) {
      entry(ON_ERROR_PHASE[onError], messageOf(error));
      if (onError !== "pass") return { kind: onError, transform: name };
    }
  }
  return { kind: "pass", event: current };
}

/** What a transform made of an event, known by the event's own id. */
function sameIdentity(next: OrgLoopEvent, { id, replay }: OrgLoopEvent): OrgLoopEvent {
  if (next.id === id && next.replay === replay) return next;
  const { replay: _, ...rest } = next;
  return { ...rest, id, ...(replay !== undefined && { replay }) };
}
