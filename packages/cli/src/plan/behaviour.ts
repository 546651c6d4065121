import path from "node:path";
import { readEnvironment } from "@orgloop/config";
import type { RouteComparison, RoutingComparison } from "@orgloop/node";
import { onStage, stageOf } from "../aws/stage.ts";
import type { CommandContext } from "../command.ts";
import { counted, grouped } from "../terminal/counted.ts";
import type { Output } from "../terminal/output.ts";
import { shortValue } from "../terminal/value-table.ts";
import { type RecordedEvent, recordedEvents } from "./recorded-events.ts";
import type { SurveyedPlan } from "./surveyed-plan.ts";

/** `plan --events`: what would become of recorded events. */
export interface Behaviour extends RoutingComparison {
  /** What was read, absolute. */
  readonly from: string;
  /** Lines that hold no event. */
  readonly unreadable: number;
}

/**
 * Compares what the applied topology made of the events in `target` (default: the record of the
 * process, or of the stage) with what the files would.
 */
export async function behaviourOf(
  context: CommandContext,
  survey: SurveyedPlan,
  target: string | true,
): Promise<Behaviour> {
  const stage = stageOf(context, { topology: survey.desired });
  if (target === true && stage !== null) {
    return onStage(stage, (open, { recordedEvents }) =>
      compared(context, survey, `s3://${open.bucket}/events`, recordedEvents(open)),
    );
  }
  const from = target === true ? path.join(survey.dataDir, "events") : path.resolve(target);
  const { events, unreadable } = await recordedEvents(from);
  const behaviour = await compared(context, survey, from, events);
  if (unreadable.first !== null) {
    const lines = counted(unreadable.count, "line holds", "lines hold");
    context.output.warn(`${lines} no event; the first is ${unreadable.first}`);
  }
  return { ...behaviour, unreadable: unreadable.count };
}

async function compared(
  { env, output }: CommandContext,
  { project, desired, applied }: SurveyedPlan,
  from: string,
  events: AsyncIterable<RecordedEvent>,
): Promise<Behaviour> {
  const { compareRouting, pluginLookup } = await import("@orgloop/node");
  const { projectDir } = project;
  try {
    const comparison = await compareRouting({
      before: applied?.topology ?? null,
      after: desired,
      projectDir,
      env: readEnvironment(projectDir, env),
      lookup: pluginLookup({ projectDir }),
      events,
      warn: (item, message) => output.warn(`${item}: ${message}`),
      onProgress: (count) => output.progress(`${counted(count, "event")} compared ...`),
    });
    return { from, unreadable: 0, ...comparison };
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

const MAX_ROUTES = 50;

/** The lines of `plan` about recorded events. */
export function behaviourLines(
  { from, events, changed, routes, not_compared }: Behaviour,
  style: Output["style"],
): string[] {
  const verb = changed === 1 ? "meets" : "meet";
  const heading =
    changed === 0
      ? `All ${counted(events, "recorded event")} would be routed as before (${from})`
      : `${grouped(changed)} of ${counted(events, "recorded event")} ${verb} another fate (${from})`;
  const shown = routes.slice(0, MAX_ROUTES);
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
  const reported = Object.entries(WORDS).flatMap(([change, words]) => {
    const count = counts[change as keyof typeof WORDS];
    return count > 0 ? [`${grouped(count)} ${words}`] : [];
  });
  return [
    `  ${style("yellow", `~ route ${route}`)}: ${reported.join(", ")}`,
    ...examples.map(({ event_id, from, to }) => `      ${event_id}: ${shown(from)} → ${shown(to)}`),
  ];
}

const shown = (side: unknown) => (typeof side === "string" ? side : shortValue(side, 120));
