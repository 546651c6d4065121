import { randomBytes } from "node:crypto";
import { readEnvironment } from "@orgloop/config";
import { resolveReferences } from "@orgloop/engine";
import { loadTrial, pluginLookup, type TriedRoute } from "@orgloop/node";
import { type InjectedEvent, OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { withEventFile } from "../events/event-file.ts";
import { readEvents } from "../events/read-events.ts";
import {
  type ExplainOptions,
  explainRoutes,
  type RouteExplanation,
} from "../explain/explain-routes.ts";
import { routeLines } from "../explain/explanation-text.ts";
import { readShownProject } from "../project/read-project.ts";
import { counted } from "../terminal/counted.ts";
import type { Output } from "../terminal/output.ts";

/** Where an event would go. */
interface Trace {
  readonly event_id: string;
  readonly source: string;
  readonly routes: readonly {
    readonly route: string;
    readonly result: TriedRoute["kind"];
    readonly actor: string | null;
    readonly transform: string | null;
  }[];
  /** Routes that name its source and do not take it, each with the condition that stopped it. */
  readonly stopped: readonly RouteExplanation[];
}

/**
 * `orgloop test EVENT.json|- --dry-run` (v1alpha1, section 9): what would become of it; nothing is
 * sent or delivered.
 */
export const traceEvents: Command = async (context, [given = "-"]) => {
  const traces = await withEventFile(given, (file, shown) => traced(context, file, shown));
  context.output.result(
    { dry_run: true, events: traces },
    traces.flatMap(traceLines(context.output)).join("\n"),
  );
  return 0;
};

async function traced(context: CommandContext, file: string, shown: string): Promise<Trace[]> {
  const project = await readShownProject(context);
  const { projectDir, topology } = project;
  const { trialOf } = await loadTrial();
  const env = readEnvironment(projectDir, context.env);
  const { routes, transforms } = resolveReferences(topology, env).value;
  const trial = trialOf({
    topology: { ...topology, routes, transforms },
    written: topology.transforms,
    projectDir,
    lookup: pluginLookup({ projectDir }),
  })();
  const traces: Trace[] = [];
  try {
    for await (const written of readEvents(file, shown)) {
      const event = completedEvent(written);
      const { routes: tried, failed } = await trial.route(event, Date.parse(event.timestamp));
      for (const reason of failed.values()) throw new OrgLoopError("PLUGINS_FAILED", reason);
      traces.push({
        event_id: event.id,
        source: event.source,
        routes: [...tried].map(([route, fate]) => ({
          route,
          result: fate.kind,
          actor: fate.kind === "delivered" ? fate.delivery.actor : null,
          transform: fate.kind === "delivered" ? null : fate.transform,
        })),
        stopped: stoppedRoutes(event, tried, { project, env: context.env, isStage: false }),
      });
    }
  } finally {
    await trial.close();
  }
  return traces;
}

function stoppedRoutes(
  event: OrgLoopEvent,
  tried: ReadonlyMap<string, TriedRoute>,
  options: ExplainOptions,
): readonly RouteExplanation[] {
  const { routes } = explainRoutes(event, event.source, null, null, options);
  return routes.filter(({ route, matched }) => matched !== true && !tried.has(route));
}

/** An event that somebody wrote, with what intake would fill in. */
export function completedEvent(written: InjectedEvent): OrgLoopEvent {
  return {
    id: `evt_${randomBytes(8).toString("hex")}`,
    timestamp: new Date().toISOString(),
    type: "resource.changed",
    provenance: { platform: "inject" },
    payload: {},
    trace_id: `trc_${randomBytes(8).toString("hex")}`,
    ...written,
  } as OrgLoopEvent;
}

const traceLines =
  (output: Output) =>
  ({ event_id, source, routes, stopped }: Trace): string[] => {
    const head = `${event_id} (${source}):`;
    const taken = routes.map(({ route, result, actor, transform }) => {
      const fate = actor === null ? `${result} by ${transform}` : `to ${actor}`;
      return `${head} ${route} → ${fate}`;
    });
    const shown = stopped.slice(0, SHOWN_STOPS).flatMap((route) => routeLines(route, output));
    const more = stopped.length - SHOWN_STOPS;
    return [
      ...(taken.length === 0 ? [`${head} no route`] : taken),
      ...shown,
      ...(more > 0 ? [`  … and ${counted(more, "more route")} that did not take it`] : []),
    ];
  };

/** Routes that are shown with what stopped the event. */
const SHOWN_STOPS = 20;

/**
 * `orgloop test --generate KIND` (v1alpha1, section 9): an event of that kind, to be changed and
 * injected. Throws `USAGE`.
 */
export function generateEvent({ output }: CommandContext, kind: string): 0 {
  const sample = SAMPLES.get(kind);
  if (sample === undefined) {
    const known = [...SAMPLES.keys()].join(", ");
    throw new CommandError("USAGE", `--generate "${kind}": expected one of ${known}`);
  }
  const event = completedEvent({ ...sample, source: kind });
  output.result(event, JSON.stringify(event, null, 2));
  return 0;
}

const SAMPLES: ReadonlyMap<string, Omit<InjectedEvent, "source">> = new Map([
  [
    "github",
    {
      provenance: {
        platform: "github",
        platform_event: "pull_request.opened",
        author: "octocat",
        author_type: "team_member",
        repo: "acme/api",
      },
      payload: { action: "opened", number: 12, pull_request: { number: 12, draft: false } },
    },
  ],
  [
    "linear",
    {
      provenance: {
        platform: "linear",
        platform_event: "issue.update",
        author_type: "team_member",
      },
      payload: { action: "update", identifier: "ENG-12", state: "In Progress" },
    },
  ],
  [
    "claude-code",
    {
      type: "actor.stopped",
      provenance: {
        platform: "claude-code",
        platform_event: "session.stopped",
        author_type: "bot",
      },
      payload: {
        lifecycle: { phase: "stopped", terminal: true, outcome: "success" },
        session: { id: "s-12", harness: "claude-code" },
      },
    },
  ],
]);
