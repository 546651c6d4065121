import { type Difference, differences } from "@orgloop/config";
import { type Delivery, formatPath, withoutSecrets } from "@orgloop/engine";
import type { TriedRoute } from "./trial.ts";

/** How the fate of an event on one route differs. */
export const ROUTING_CHANGES = [
  "now_routed",
  "no_longer_routed",
  "now_dropped",
  "no_longer_dropped",
  "delivered_otherwise",
] as const;
export type RoutingChange = (typeof ROUTING_CHANGES)[number];

export interface RoutingDifference {
  readonly change: RoutingChange;
  /**
   * What becomes of the event: `not routed`, `dropped by NAME`, `delivered to ACTOR`, or the values
   * that differ, by path.
   */
  readonly from: string | Readonly<Record<string, unknown>>;
  readonly to: string | Readonly<Record<string, unknown>>;
}

/** So many differing values of one delivery are told. */
const MAX_PATHS = 5;
const MAX_CHARACTERS = 60;
/** Of what is the same before it. */
const BEFORE = 12;

/**
 * What differs between two fates on one route (undefined: it does not match); null where nothing
 * does.
 */
export function routingDifference(
  before: TriedRoute | undefined,
  after: TriedRoute | undefined,
): RoutingDifference | null {
  const reported = { from: fateText(before), to: fateText(after) };
  if (before === undefined && after === undefined) return null;
  if (before === undefined) return { change: "now_routed", ...reported };
  if (after === undefined) return { change: "no_longer_routed", ...reported };
  if (before.kind !== "delivered") {
    return after.kind === "delivered" ? { change: "no_longer_dropped", ...reported } : null;
  }
  if (after.kind !== "delivered") return { change: "now_dropped", ...reported };
  const found = differences(shownOf(before.delivery), shownOf(after.delivery));
  if (found.length === 0) return null;
  const side = (which: "from" | "to") =>
    Object.fromEntries(
      found.slice(0, MAX_PATHS).flatMap((one) => {
        const value = withoutSecrets(one[which], one.path);
        return value === undefined ? [] : [[formatPath(one.path), cut(value, startOf(one))]];
      }),
    );
  return { change: "delivered_otherwise", from: side("from"), to: side("to") };
}

function fateText(fate: TriedRoute | undefined): string {
  if (fate === undefined) return "not routed";
  return fate.kind === "delivered"
    ? `delivered to ${fate.delivery.actor}`
    : `dropped by ${fate.transform}`;
}

/** What the actor sees, and by what its order is kept. */
function shownOf({ event, actor, config, prompt, orderingKey }: Delivery) {
  const instructions = prompt && { text: prompt.text, meta: prompt.meta };
  return { event, actor, config, prompt: instructions, ordering_key: orderingKey };
}

/** Where two texts begin to differ, less a few characters; 0 for other values. */
function startOf({ from, to }: Difference): number {
  if (typeof from !== "string" || typeof to !== "string") return 0;
  let at = 0;
  while (at < from.length && from[at] === to[at]) at += 1;
  return Math.max(0, at - BEFORE);
}

/** An example, not the whole: of a long text, what comes from `start` on. */
function cut(value: unknown, start: number): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= MAX_CHARACTERS) return value;
  const part = text.slice(start, start + MAX_CHARACTERS);
  return `${start > 0 ? "…" : ""}${part}${start + part.length < text.length ? "…" : ""}`;
}
