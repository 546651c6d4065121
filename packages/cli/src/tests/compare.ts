import { isDeepStrictEqual } from "node:util";
import type { Expectation, ExpectedOutcome, ExpectedPlace } from "@orgloop/config/tests";
import { explainRoute } from "@orgloop/engine";
import type { TriedEvent, TriedRoute } from "@orgloop/node";
import { type Filter, getPath, type OrgLoopEvent, splitPath, type Topology } from "@orgloop/sdk";

/** What is not as it was expected, and where that is written. */
export interface Difference extends ExpectedPlace {
  /** e.g. `route "review", actor`. */
  readonly what: string;
  readonly expected: unknown;
  readonly got: unknown;
}

type EventPasses = (filter: Filter, event: OrgLoopEvent) => boolean;

/** Everything in which what became of an event is not what was expected; empty where it is. */
export function compare(
  expected: Expectation,
  { routes, failed, passed }: TriedEvent,
  topology: Topology,
  eventPasses: EventPasses,
  event?: OrgLoopEvent,
): Difference[] {
  const differences: Difference[] = [];
  const differ = (place: readonly string[], what: string, wanted: unknown, got: unknown) =>
    differences.push({ ...expected.at(...place), what, expected: wanted, got });

  for (const [route, reason] of failed) {
    differ(["routes", route], `route "${route}"`, "a route that runs", reason);
  }
  for (const [route, outcome] of expected.routes) {
    if (failed.has(route)) continue;
    const tried = routes.get(route);
    const place = ["routes", route];
    const name = `route "${route}"`;
    if (tried === undefined || !isOutcome(outcome, tried)) {
      const why = tried === undefined && event ? stoppedText(route, event, topology) : "";
      differ(place, name, wantedText(outcome), `${triedText(tried)}${why}`);
      continue;
    }
    const passes = passed.filter((one) => one.route === route);
    for (const { transform, error } of passes) {
      if (transform === outcome.passed_by) continue;
      differ(place, name, "no transform that fails", `"${transform}" failed: ${error}`);
    }
    if (outcome.passed_by && !passes.some((one) => one.transform === outcome.passed_by)) {
      const wanted = `"${outcome.passed_by}" fails and lets the event through`;
      differ([...place, "passed_by"], name, wanted, "no failure");
    }
    if (tried.kind !== "delivered") continue;
    const report = (key: readonly string[], wanted: unknown, got: unknown) =>
      differ([...place, ...key], `${name}, ${key.join(" ")}`, wanted, got);
    compareDelivery(outcome, tried, topology, eventPasses, report);
  }
  for (const [route, tried] of routes) {
    if (expected.routes.has(route) || expected.others) continue;
    const wanted = expected.routes.size === 0 ? "no route" : "no further route";
    differ([], `route "${route}"`, wanted, triedText(tried));
  }
  return differences;
}

function isOutcome({ kind, transform }: ExpectedOutcome, tried: TriedRoute): boolean {
  if (kind !== tried.kind) return false;
  return transform === null || (tried.kind !== "delivered" && tried.transform === transform);
}

function compareDelivery(
  outcome: ExpectedOutcome,
  { delivery }: TriedRoute & { readonly kind: "delivered" },
  topology: Topology,
  eventPasses: EventPasses,
  report: (key: readonly string[], wanted: unknown, got: unknown) => void,
): void {
  const { actor, event, config, key, prompt_file } = outcome;
  if (actor !== undefined && actor !== delivery.actor) report(["actor"], actor, delivery.actor);
  for (const [path, wanted] of Object.entries(event ?? {})) {
    if (eventPasses({ [path]: wanted }, delivery.event)) continue;
    const got = path === "$or" ? "none of these" : getPath(delivery.event, splitPath(path));
    report(["event", path], wanted, got);
  }
  for (const [name, wanted] of Object.entries(config ?? {})) {
    const got = delivery.config[name];
    if (!isDeepStrictEqual(wanted, got)) report(["config", name], wanted, got);
  }
  if (key !== undefined && key !== delivery.orderingKey) report(["key"], key, delivery.orderingKey);
  if (prompt_file === undefined) return;
  const file = topology.routes.find(({ name }) => name === delivery.route)?.with?.prompt.file;
  const wanted = prompt_file.replace(/^(\.{1,2}\/)+/, "");
  if (file !== wanted && !file?.endsWith(`/${wanted}`)) report(["prompt_file"], prompt_file, file);
}

/** The condition that stopped an event, as `explain` has it; empty where there is none. */
function stoppedText(route: string, event: OrgLoopEvent, { routes }: Topology): string {
  const spec = routes.find(({ name }) => name === route);
  const explained = spec && explainRoute(spec, event);
  if (explained === undefined || explained.matched) return "";
  const { path, expected, found } = explained.stoppedBy;
  return `: ${path}: expected ${expected}, found ${found}`;
}

function wantedText({ kind, transform, actor }: ExpectedOutcome): string {
  if (kind === "delivered") return actor === undefined ? "delivered" : `delivered to ${actor}`;
  return transform === null ? kind : `${kind} by "${transform}"`;
}

function triedText(tried: TriedRoute | undefined): string {
  if (tried === undefined) return "the route does not match";
  if (tried.kind === "delivered") return `delivered to ${tried.delivery.actor}`;
  const by = `${tried.kind} by "${tried.transform}"`;
  return tried.kind === "halted" ? `${by}: ${tried.error}` : by;
}
