import {
  fairPool,
  formatDuration,
  OrgLoopError,
  type OrgLoopEvent,
  type RouteSpec,
  type Topology,
  type Transform,
  type TransformSpec,
} from "@orgloop/sdk";
import { copyOf } from "../plugins/copy-of.ts";
import { type Clock, callAt } from "../ports/clock.ts";
import type { RouteTransform } from "./transform.ts";

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
