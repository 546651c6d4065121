import type { RouteTransform } from "@orgloop/core";
import {
  formatDuration,
  OrgLoopError,
  type OrgLoopEvent,
  type RouteSpec,
  type Topology,
  type Transform,
  type TransformSpec,
} from "@orgloop/sdk";
import { type Clock, callAt } from "./clock.ts";

/** Each route's transforms with their timeouts, contexts and `on_error` (use, else definition), by the route's name. */
export function bindTransforms(
  topology: Topology,
  transforms: ReadonlyMap<string, Transform>,
  clock: Clock,
): ReadonlyMap<string, readonly RouteTransform[]> {
  const specs = new Map(topology.transforms.map((spec) => [spec.name, spec]));
  return new Map(
    topology.routes.map((route) => [
      route.name,
      route.transforms.map((use): RouteTransform => {
        const spec = specs.get(use.ref);
        const transform = transforms.get(use.ref);
        if (spec === undefined || transform === undefined) {
          throw new OrgLoopError(
            "UNKNOWN_TRANSFORM",
            `route "${route.name}": there is no transform "${use.ref}"`,
          );
        }
        return {
          name: use.ref,
          onError: use.on_error ?? spec.on_error,
          execute: (event) => executeWithin(event, transform, spec, route, clock),
        };
      }),
    ]),
  );
}

async function executeWithin(
  event: OrgLoopEvent,
  transform: Transform,
  { name, timeout_ms: timeoutMs }: TransformSpec,
  route: RouteSpec,
  clock: Clock,
): Promise<OrgLoopEvent | null> {
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const cancel = callAt(clock, clock.now() + timeoutMs, () => {
    const error = new OrgLoopError(
      "TIMEOUT",
      `${name}: no result within ${formatDuration(timeoutMs)}`,
    );
    controller.abort(error);
    ended.reject(error);
  });
  try {
    const context = { route: route.name, actor: route.then.actor, signal: controller.signal };
    return await Promise.race([transform.execute(event, context), ended.promise]);
  } finally {
    cancel();
  }
}
