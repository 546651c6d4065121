import { orderingOf, orderingText } from "@orgloop/engine";
import type { RouteSpec, SourceSpec } from "@orgloop/sdk";

/** Columns of a terminal as it comes. */
const COLUMNS = 80;
const LABEL = "  transforms  ".length;

/** The routes, a paragraph each, no line of more than 80 columns where its words allow. */
export function routesText(routes: readonly RouteSpec[], sources: readonly SourceSpec[]): string {
  if (routes.length === 0) return "There are no routes.";
  const byId = new Map(sources.map((source) => [source.id, source]));
  return routes.map((route) => routeText(route, byId)).join("\n\n");
}

function routeText(route: RouteSpec, sources: ReadonlyMap<string, SourceSpec>): string {
  const { name, when, then, transforms, delivery } = route;
  const orders = new Set(
    when.source.map((id) => orderingText(orderingOf(delivery, sources.get(id)))),
  );
  const facts: [label: string, text: string][] = [
    ["events", when.events.join(", ")],
    ["filter", when.filter === undefined ? "" : JSON.stringify(when.filter)],
    ["transforms", transforms.map(({ ref }) => ref).join(", ")],
    ["ordered", [...orders].join("; ")],
  ];
  const head = `${when.source.join(", ")} → ${name} → ${then.actor}`;
  return [
    ...wrapped(head, COLUMNS),
    ...facts.filter(([, text]) => text !== "").map(([label, text]) => fact(label, text)),
  ].join("\n");
}

function fact(label: string, text: string): string {
  const lines = wrapped(text, COLUMNS - LABEL);
  return lines
    .map((line, at) => `${(at === 0 ? `  ${label}` : "").padEnd(LABEL)}${line}`)
    .join("\n");
}

/** Lines of at most `width`: broken at spaces and commas, else anywhere. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const head = rest.slice(0, width);
    const at = Math.max(head.lastIndexOf(" "), head.lastIndexOf(",")) + 1;
    const cut = at > width / 3 ? at : width;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}
