import {
  checkTransformed,
  fairPool,
  formatDuration,
  type LogEntry,
  messageOf,
  type OnError,
  OrgLoopError,
  type OrgLoopEvent,
  type Phase,
  type RouteSpec,
  type Topology,
  type Transform,
  type TransformSpec,
} from "@orgloop/sdk";
import { copyOf } from "../plugins/copy-of.ts";
import { type Clock, callAt } from "../ports/clock.ts";

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

/** How many transforms of packages a route runs at a time, where these have no pool. */
const AT_ONCE = 16;

export interface TransformBinding {
  /** By name. */
  readonly specs: ReadonlyMap<string, TransformSpec>;
  /** Those that run, by name. */
  readonly transforms: ReadonlyMap<string, { readonly part: Transform }>;
  readonly clock: Clock;
  /** They end when it is aborted: what the routing then yields is not to be acted upon. */
  readonly abandon: AbortSignal;
}

/**
 * A route's transforms with their timeouts, contexts and `on_error` (use, else definition). Throws
 * `UNKNOWN_TRANSFORM`.
 */
export function bindRoute(
  route: RouteSpec,
  { specs, transforms, clock, abandon }: TransformBinding,
): readonly RouteTransform[] {
  const own = fairPool({ places: AT_ONCE, each: AT_ONCE });
  return route.transforms.map((use): RouteTransform => {
    const spec = specs.get(use.ref);
    const transform = transforms.get(use.ref)?.part;
    if (spec === undefined || transform === undefined) {
      throw new OrgLoopError(
        "UNKNOWN_TRANSFORM",
        `route "${route.name}": there is no transform "${use.ref}"`,
      );
    }
    const { inline = false, pool = own } = transform;
    const run = (event: OrgLoopEvent) =>
      executeWithin(event, transform, spec, { route, clock, abandon });
    const pooled = (event: OrgLoopEvent) =>
      pool
        .run(route.name, () => run(copyOf(event)), abandon)
        .catch((error) => {
          throw abandon.aborted ? drained(use.ref) : error;
        });
    return {
      name: use.ref,
      onError: use.on_error ?? spec.on_error,
      inline,
      execute: inline ? run : pooled,
    };
  });
}

/** Every route's transforms, by the route's name. */
export function bindTransforms(
  topology: Topology,
  transforms: ReadonlyMap<string, { readonly part: Transform }>,
  clock: Clock,
  abandon: AbortSignal,
): ReadonlyMap<string, readonly RouteTransform[]> {
  const specs = new Map(topology.transforms.map((spec) => [spec.name, spec]));
  const binding = { specs, transforms, clock, abandon };
  return new Map(topology.routes.map((route) => [route.name, bindRoute(route, binding)]));
}

interface Surroundings {
  readonly route: RouteSpec;
  readonly clock: Clock;
  readonly abandon: AbortSignal;
}

async function executeWithin(
  event: OrgLoopEvent,
  transform: Transform,
  { name, timeout_ms: timeoutMs }: TransformSpec,
  { route, clock, abandon }: Surroundings,
): Promise<OrgLoopEvent | null> {
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (error: OrgLoopError): void => {
    controller.abort(error);
    ended.reject(error);
  };
  const onAbandon = (): void => end(drained(name));
  if (abandon.aborted) onAbandon();
  abandon.addEventListener("abort", onAbandon, { once: true });
  const cancel = callAt(clock, clock.now() + timeoutMs, () =>
    end(new OrgLoopError("TIMEOUT", `${name}: no result within ${formatDuration(timeoutMs)}`)),
  );
  try {
    const context = { route: route.name, actor: route.then.actor, signal: controller.signal };
    return await Promise.race([transform.execute(event, context), ended.promise]);
  } finally {
    cancel();
    abandon.removeEventListener("abort", onAbandon);
  }
}

function drained(name: string): OrgLoopError {
  return new OrgLoopError("DRAINING", `${name}: the process stopped waiting`);
}
