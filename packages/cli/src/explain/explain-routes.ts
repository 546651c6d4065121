import { type LoadedProject, readEnvironment, valueOrigin } from "@orgloop/config";
import {
  type EventStory,
  explainRoute,
  type RouteOutcome,
  resolveReferences,
  type Stop,
} from "@orgloop/engine";
import type { OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { type MaskValues, maskValues } from "./mask-values.ts";

/** Where something stands in the configuration; nulls: nowhere in its files. */
export interface ShownPlace {
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** The predicate that stopped an event. */
export interface ShownStop extends ShownPlace {
  /** In the event; `$or` for a choice. */
  readonly path: string;
  readonly operator: string;
  readonly operand: unknown;
  readonly expected: string;
  readonly found: string;
  readonly branches?: readonly ShownStop[];
}

/** One route, for one event. */
export interface RouteExplanation extends ShownPlace {
  readonly route: string;
  readonly actor: string | null;
  /** By the configuration of now; null: it cannot be told (`unknown`). */
  readonly matched: boolean | null;
  readonly stopped_by: ShownStop | null;
  /** Why it cannot be told whether it matches: a variable is not set. */
  readonly unknown: string | null;
  /** What really happened, by the record; null: nothing on this route, or nothing is kept. */
  readonly outcome: RouteOutcome | null;
  /** Where record and configuration differ; null: they do not, or there is no record. */
  readonly differs: string | null;
}

export interface ExplainOptions {
  readonly project: Pick<LoadedProject, "routes" | "provenance" | "projectDir" | "topology">;
  readonly env: NodeJS.ProcessEnv;
  /** Variables have the values of a stage, which are not known here. */
  readonly isStage: boolean;
}

export interface ExplainedRoutes {
  /** Those that took it first, the others in the order of the configuration. */
  readonly routes: readonly RouteExplanation[];
  readonly mask: MaskValues;
}

/**
 * Every route that names the event's source, or that took the event by the record; with `only`,
 * that route whatever it names. `event` null: its payload is not kept.
 */
export function explainRoutes(
  event: OrgLoopEvent | null,
  source: string,
  story: EventStory | null,
  only: string | null,
  options: ExplainOptions,
): ExplainedRoutes {
  const { project, isStage } = options;
  const env = readEnvironment(project.projectDir, options.env);
  const mask = maskValues(project.topology, env);
  const outcomes = new Map(story?.outcomes.map((outcome) => [outcome.route, outcome]));
  const explained: RouteExplanation[] = [];
  for (const { name, spec } of project.routes) {
    const outcome = outcomes.get(name) ?? null;
    outcomes.delete(name);
    const isMeant =
      only === null ? outcome !== null || spec.when.source.includes(source) : only === name;
    if (!isMeant) continue;
    const verdict = verdictOf(spec, event, isStage ? {} : env, project, mask);
    const differs = story === null ? null : differenceOf(verdict.matched, outcome, story);
    const place = placeOf(project, name, []);
    explained.push({ route: name, actor: spec.then.actor, ...place, ...verdict, outcome, differs });
  }
  for (const outcome of outcomes.values()) {
    if (only !== null && only !== outcome.route) continue;
    const { route, actor } = outcome;
    const differs = "it took the event then, and is not in the configuration of now";
    const nothing = { matched: null, stopped_by: null, unknown: null };
    explained.push({ route, actor, ...NOWHERE, ...nothing, outcome, differs });
  }
  const took = ({ matched, outcome }: RouteExplanation) => outcome !== null || matched === true;
  const routes = [...explained.filter(took), ...explained.filter((one) => !took(one))];
  return { routes, mask };
}

const NOWHERE: ShownPlace = { file: null, line: null, column: null };

type Verdict = Pick<RouteExplanation, "matched" | "stopped_by" | "unknown">;

function verdictOf(
  spec: RouteSpec,
  event: OrgLoopEvent | null,
  env: Readonly<Record<string, string | undefined>>,
  project: ExplainOptions["project"],
  mask: MaskValues,
): Verdict {
  const untold = { matched: null, stopped_by: null };
  if (event === null) return { ...untold, unknown: "the event's payload is no longer kept" };
  const { value: when, missing } = resolveReferences(spec.when, env);
  if (missing.length > 0) {
    return { ...untold, unknown: `its filter refers to ${missing.join(", ")}, not known here` };
  }
  const explanation = explainRoute({ ...spec, when }, event);
  if (explanation.matched) return { matched: true, stopped_by: null, unknown: null };
  const shown = (stop: Stop): ShownStop => ({
    path: stop.path,
    operator: stop.operator,
    operand: mask(stop.operand),
    expected: mask(stop.expected),
    found: mask(stop.found),
    ...placeOf(project, spec.name, stop.place),
    ...(stop.branches && { branches: stop.branches.map(shown) }),
  });
  return { matched: false, stopped_by: shown(explanation.stoppedBy), unknown: null };
}

function placeOf(
  { provenance }: ExplainOptions["project"],
  route: string,
  path: Stop["place"],
): ShownPlace {
  const found =
    valueOrigin(provenance, "route", route, path) ?? valueOrigin(provenance, "route", route, []);
  if (found === null) return NOWHERE;
  const { file, line, column } = found;
  return { file, line, column };
}

function differenceOf(
  matched: boolean | null,
  outcome: RouteOutcome | null,
  { isWhole }: EventStory,
): string | null {
  if (matched === false && outcome !== null) return "it took the event then, and would not now";
  if (matched === true && outcome === null && isWhole) return "it did not take the event then";
  return null;
}
