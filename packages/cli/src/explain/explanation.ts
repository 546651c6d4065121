import type { EventState, EventStory, RouteOutcome, TimelineStep } from "@orgloop/engine";
import type { DeadReason, OrgLoopEvent } from "@orgloop/sdk";
import type { ExplainedRoutes, RouteExplanation } from "./explain-routes.ts";

/** One event as `explain --json` tells of it (`docs/commands.md`, Explain). */
export interface Explanation {
  /** Without its payload. `type` and `timestamp` are null where nothing but the log is kept. */
  readonly event: {
    readonly id: string;
    readonly source: string;
    readonly type: string | null;
    readonly timestamp: string | null;
  };
  /** What became of it; null of a file. */
  readonly state: EventState | null;
  readonly reason: DeadReason | null;
  readonly timeline: readonly TimelineStep[] | null;
  /** Why it does not fit the schema that its source has now; null: it does, or there is none. */
  readonly misfit: string | null;
  /** How it ended on each route that took it. */
  readonly outcomes: readonly RouteOutcome[] | null;
  /** Of routes that name its source: how many match by the configuration of now. */
  readonly matched: number;
  readonly total: number;
  readonly routes: readonly RouteExplanation[];
  /** Routes that are not shown. */
  readonly more: number;
}

export interface ExplanationOptions {
  readonly event: OrgLoopEvent | null;
  readonly id: string;
  readonly source: string;
  readonly story: EventStory | null;
  readonly found: ExplainedRoutes;
  readonly misfit: string | null;
  /** Names of transforms that drop duplicates. */
  readonly dedups: ReadonlySet<string>;
  readonly all: boolean;
}

/** Routes that are shown where not all are asked for. */
const SHOWN = 20;

export function explanationOf({
  event,
  id,
  source,
  story,
  found: { routes, mask },
  misfit,
  dedups,
  all,
}: ExplanationOptions): Explanation {
  const shown = all ? routes : routes.slice(0, SHOWN);
  return {
    event: { id, source, type: event?.type ?? null, timestamp: event?.timestamp ?? null },
    state: story?.state ?? null,
    reason: story?.reason ?? null,
    timeline: story && mask(story.timeline.map((step) => ofDedup(step, dedups))),
    misfit,
    outcomes: story && mask(story.outcomes),
    matched: routes.filter(({ matched }) => matched === true).length,
    total: routes.length,
    routes: shown.map((route) => ({ ...route, outcome: mask(route.outcome) })),
    more: routes.length - shown.length,
  };
}

function ofDedup(step: TimelineStep, dedups: ReadonlySet<string>): TimelineStep {
  const { phase, transform } = step;
  if (phase !== "transform.drop" || transform === null || !dedups.has(transform)) return step;
  return { ...step, text: `dropped as a duplicate by ${transform}` };
}
