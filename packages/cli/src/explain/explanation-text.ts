import type { RouteOutcome, TimelineStep } from "@orgloop/engine";
import { counted } from "../terminal/counted.ts";
import type { Output } from "../terminal/output.ts";
import { textTable } from "../terminal/text-table.ts";
import type { RouteExplanation, ShownPlace, ShownStop } from "./explain-routes.ts";
import type { Explanation } from "./explanation.ts";

type Paint = Pick<Output, "style">;

/** An explanation for people: what happened, then each route. */
export function explanationText(explanation: Explanation, output: Paint): string {
  const { event, state, reason, timeline, misfit, routes, matched, total, more } = explanation;
  const about = [event.type, event.timestamp].filter((part) => part !== null).join(", ");
  const lines = [
    `${output.style("bold", event.id)}  from ${event.source || "an unknown source"}${about === "" ? "" : `, ${about}`}`,
  ];
  if (state !== null) lines.push(...stateLines(state, reason));
  if (misfit !== null && state !== "unfit") {
    lines.push(`It does not fit the schema that its source has now: ${misfit}`);
  }
  if (timeline !== null) lines.push(...timelineLines(timeline, output));
  const named = `${counted(total, "route")} ${total === 1 ? "names" : "name"} the source`;
  lines.push(`${named}, ${matched} ${matched === 1 ? "matches" : "match"} now`);
  for (const route of routes) lines.push(...routeLines(route, output));
  if (more > 0) lines.push(`  … and ${counted(more, "more route")}: --all shows them`);
  return lines.join("\n");
}

const STATES: Readonly<Record<NonNullable<Explanation["state"]>, string>> = {
  unfit: "It does not fit the schema of its source, and was not routed.",
  "given up": "It was given up as a whole",
  waiting: "It is on the bus, and not routed yet.",
  "no route": "No route took it.",
  routed: "",
  unknown: "Nothing is kept that tells what became of it.",
};

function stateLines(state: NonNullable<Explanation["state"]>, reason: string | null): string[] {
  if (state === "given up") return [`${STATES[state]}: ${reason}.`];
  return STATES[state] === "" ? [] : [STATES[state]];
}

function timelineLines(steps: readonly TimelineStep[], output: Paint): string[] {
  const rows = steps.map(({ at, route, replay, text }) => [
    output.style("dim", at),
    route ?? "",
    replay > 0 ? `${text} (replay ${replay})` : text,
  ]);
  return rows.length === 0 ? [] : [textTable(["AT", "ROUTE", "WHAT"], rows)];
}

/** One route, with what stopped the event on it. */
export function routeLines(route: RouteExplanation, output: Paint): string[] {
  const { matched, stopped_by, unknown, outcome, differs } = route;
  const mark =
    matched === null
      ? output.style("yellow", "?")
      : matched
        ? output.style("green", "✓")
        : output.style("dim", "✗");
  const end = outcome === null ? "" : `  ${outcomeText(outcome)}`;
  const lines = [
    `  ${mark} ${route.route} → ${route.actor ?? "?"}  ${output.style("dim", placeText(route))}${end}`,
  ];
  if (stopped_by !== null) lines.push(...stopLines(stopped_by, "      ", output));
  if (unknown !== null && outcome === null) lines.push(`      ${unknown}`);
  if (differs !== null) lines.push(`      ${output.style("yellow", differs)}`);
  return lines;
}

function stopLines(stop: ShownStop, indent: string, output: Paint): string[] {
  const place = output.style("dim", placeText(stop));
  const line = `${indent}${stop.path}: expected ${stop.expected}, found ${stop.found}  ${place}`;
  return [
    line,
    ...(stop.branches ?? []).flatMap((branch) => stopLines(branch, `${indent}  `, output)),
  ];
}

const placeText = ({ file, line, column }: ShownPlace): string =>
  file === null ? "" : `${file}:${line}:${column}`;

function outcomeText({ state, attempts, reason, transform, letter, replay }: RouteOutcome): string {
  const parts = [
    state === "dead" ? `dead letter: ${reason}` : state,
    ...(transform === null ? [] : [`by ${transform}`]),
    ...(attempts > 1 ? [counted(attempts, "attempt")] : []),
    ...(replay > 0 ? [`replay ${replay}`] : []),
    ...(letter === null ? [] : [letter]),
  ];
  return parts.join(", ");
}
