import path from "node:path";
import { readEnvironment } from "@orgloop/config";
import type { RouteComparison, RoutingComparison } from "@orgloop/runtime";
import type { CommandContext } from "../command.ts";
import { counted } from "../counted.ts";
import type { Output } from "../output.ts";
import { shortValue } from "../value-table.ts";
import { recordedEvents } from "./recorded-events.ts";
import type { SurveyedPlan } from "./survey-plan.ts";

/** `plan --events`: what would become of recorded events. */
export interface Behaviour extends RoutingComparison {
  /** What was read, absolute. */
  readonly from: string;
  /** Lines that hold no event. */
  readonly unreadable: number;
}

/** Compares what the applied topology made of the events in `target` (default: the process's own record) with what the files would. */
export async function behaviourOf(
  { env, output }: CommandContext,
  { project, desired, dataDir, applied }: SurveyedPlan,
  target: string | true,
): Promise<Behaviour> {
  const from = target === true ? path.join(dataDir, "events") : path.resolve(target);
  const { events, unreadable } = await recordedEvents(from);
  const { compareRouting, pluginLookup } = await import("@orgloop/runtime");
  const { projectDir } = project;
  try {
    const compared = await compareRouting({
      before: applied?.topology ?? null,
      after: desired,
      projectDir,
      env: readEnvironment(projectDir, env),
      lookup: pluginLookup({ projectDir }),
      events,
      warn: (item, message) => output.warn(`${item}: ${message}`),
      onProgress: (count) => output.progress(`${counted(count, "event")} compared ...`),
    });
    if (unreadable.first !== null) {
      const lines = counted(unreadable.count, "line holds", "lines hold");
      output.warn(`${lines} no event; the first is ${unreadable.first}`);
    }
    return { from, unreadable: unreadable.count, ...compared };
  } finally {
    output.progress(null);
  }
}

const WORDS = {
  now_routed: "now routed",
  no_longer_routed: "no longer routed",
  now_dropped: "now dropped",
  no_longer_dropped: "no longer dropped",
  delivered_otherwise: "delivered otherwise",
} as const;

const MOST_ROUTES = 50;

/** The lines of `plan` about recorded events. */
export function behaviourLines(
  { from, events, changed, routes, not_compared }: Behaviour,
  style: Output["style"],
): string[] {
  const verb = changed === 1 ? "meets" : "meet";
  const heading =
    changed === 0
      ? `All ${counted(events, "recorded event")} would be routed as before (${from})`
      : `${changed.toLocaleString("en-US")} of ${counted(events, "recorded event")} ${verb} another fate (${from})`;
  const shown = routes.slice(0, MOST_ROUTES);
  const rest = routes.length - shown.length;
  return [
    "",
    style("bold", heading),
    ...shown.flatMap((route) => routeLines(route, style)),
    ...(rest > 0 ? [`  … and ${counted(rest, "more route")}; --json lists them`] : []),
    ...not_compared.map(({ route, reason }) => `  ? route ${route}: not compared: ${reason}`),
    style(
      "dim",
      "Transforms were run as they are now, with a memory of their own; nothing was delivered.",
    ),
  ];
}

function routeLines(
  { route, counts, examples }: RouteComparison,
  style: Output["style"],
): string[] {
  const told = Object.entries(WORDS).flatMap(([change, words]) => {
    const count = counts[change as keyof typeof WORDS];
    return count > 0 ? [`${count.toLocaleString("en-US")} ${words}`] : [];
  });
  return [
    `  ${style("yellow", `~ route ${route}`)}: ${told.join(", ")}`,
    ...examples.map(({ event_id, from, to }) => `      ${event_id}: ${shown(from)} → ${shown(to)}`),
  ];
}

const shown = (side: unknown) => (typeof side === "string" ? side : shortValue(side, 80));
