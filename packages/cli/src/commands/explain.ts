import type { LoadedProject } from "@orgloop/config";
import { type EventStory, eventStory, nearest } from "@orgloop/engine";
import type { OrgLoopEvent, Topology } from "@orgloop/sdk";
import { stageOf } from "../aws/stage.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { withEventFile } from "../events/event-file.ts";
import { readEvents } from "../events/read-events.ts";
import { explainRoutes } from "../explain/explain-routes.ts";
import { type Explanation, explanationOf } from "../explain/explanation.ts";
import { explanationText } from "../explain/explanation-text.ts";
import { findEvent, isFile } from "../explain/find-event.ts";
import { locateData } from "../process/data-directory.ts";
import { readValidProject } from "../project/read-project.ts";
import { completedEvent } from "./test-event.ts";

export interface ExplainOptions {
  readonly route?: string;
  readonly all?: boolean;
}

/**
 * `orgloop explain FILE|EVENT_ID`: why each route takes an event or does not, and of one that came
 * what happened to it. Exit status 1 where there is no such file or event.
 */
export const explain: Command<ExplainOptions> = async (context, [given = "-"], options) => {
  const explanations = isFile(given)
    ? await ofFile(context, given, options)
    : [await ofId(context, given, options)];
  context.output.result(
    { events: explanations },
    explanations.map((one) => explanationText(one, context.output)).join("\n\n"),
  );
  return 0;
};

async function ofFile(
  context: CommandContext,
  given: string,
  options: ExplainOptions,
): Promise<Explanation[]> {
  const project = await readValidProject(context);
  const only = onlyRoute(project, options);
  return withEventFile(given, async (file, shown) => {
    const explanations: Explanation[] = [];
    for await (const written of readEvents(file, shown)) {
      const event = completedEvent(written);
      explanations.push(
        await explained(context, project, { event, id: event.id, story: null }, only, options),
      );
    }
    return explanations;
  });
}

async function ofId(
  context: CommandContext,
  given: string,
  options: ExplainOptions,
): Promise<Explanation> {
  const located = await locateData(context);
  const { project } = located;
  const only = project.topology === null ? null : onlyRoute(project, options);
  const { id, traces } = await findEvent(context, located, given);
  const story = eventStory(id, traces);
  if (project.topology === null) {
    context.output.warn("the configuration has errors: what its routes want is not compared");
  }
  const kept = { event: traces.event, id, story, source: sourceOf(traces.entries) };
  return explained(context, project, kept, only, options);
}

const sourceOf = (entries: readonly { readonly source?: string }[]): string =>
  entries.find(({ source }) => source !== undefined)?.source ?? "";

interface Kept {
  readonly event: OrgLoopEvent | null;
  readonly id: string;
  readonly story: EventStory | null;
  /** Where the event itself is not kept. */
  readonly source?: string;
}

async function explained(
  context: CommandContext,
  project: LoadedProject,
  { event, id, story, source = "" }: Kept,
  only: string | null,
  { all = false }: ExplainOptions,
): Promise<Explanation> {
  const from = event?.source ?? source;
  const isStage = stageOf(context, project) !== null;
  const known = project.topology === null ? { ...project, routes: [] } : project;
  const found = explainRoutes(event, from, story, only, {
    project: known,
    env: context.env,
    isStage,
  });
  const misfit = event && (await misfitOf(event, project.topology));
  const dedups = new Set(
    project.topology?.transforms.flatMap((one) => (one.package === DEDUP ? one.name : [])),
  );
  return explanationOf({ event, id, source: from, story, found, misfit, dedups, all });
}

const DEDUP = "@orgloop/transform-dedup";

async function misfitOf(event: OrgLoopEvent, topology: Topology | null): Promise<string | null> {
  const source = topology?.sources.find(({ id }) => id === event.source);
  if (source?.schemas === undefined) return null;
  const { eventSchemas } = await import("@orgloop/engine/event-schemas");
  return eventSchemas([source])(event);
}

/** Throws `NOT_FOUND`, with the nearest name. */
function onlyRoute({ routes }: LoadedProject, { route }: ExplainOptions): string | null {
  if (route === undefined) return null;
  const names = routes.map(({ name }) => name);
  if (names.includes(route)) return route;
  const near = nearest(route, names);
  const hint = near === undefined ? "`orgloop routes` lists them" : `did you mean "${near}"?`;
  throw new CommandError("NOT_FOUND", `there is no route "${route}": ${hint}`);
}
