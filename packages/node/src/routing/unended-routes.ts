import type { RoutedEvent } from "@orgloop/engine";
import type { Settled } from "../delivery/push-options.ts";

/** Knows on which routes an event is still being transformed. */
export interface UnendedRoutes {
  /** Its transforms have ended on that route; `drop`: they had no use for it. */
  ended(route: string, how?: Settled): void;
}

/**
 * Calls `onEnd`, with the routes whose transforms dropped the event, when it is in no lane any
 * more: at once where it is in none.
 */
export function unendedRoutes(
  routes: RoutedEvent["routes"],
  onEnd: (dropped: readonly string[]) => void,
): UnendedRoutes {
  const dropped: string[] = [];
  const unended = new Set<string>();
  for (const routed of routes) {
    if (routed.kind === "in lane") unended.add(routed.delivery.route);
    else if (routed.kind === "ended" && routed.by === "drop") dropped.push(routed.route);
  }
  if (unended.size === 0) onEnd(dropped);
  return {
    ended(route, how) {
      if (!unended.delete(route)) return;
      if (how === "drop") dropped.push(route);
      if (unended.size === 0) onEnd(dropped);
    },
  };
}
