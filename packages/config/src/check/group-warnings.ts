import { busGrouping, routesBySource } from "@orgloop/engine";
import { at, type Declaration } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import type { TopologyRoute } from "../resolve/topology-routes.ts";
import { isServerless } from "./check-serverless.ts";

/** What one message group of the bus comes to, reckoned (docs/aws/scale.md). */
const GROUP_CEILING = "35 to 50 events a second";

export interface GroupedRoutes {
  readonly settings: readonly SourceDocument[];
  /** Those that are on. */
  readonly routes: readonly Declaration<"route">[];
  readonly specs: readonly TopologyRoute[];
  /** Sources whose connector gives events an ordering key. */
  readonly keyed: ReadonlySet<string>;
}

/**
 * On `sqs` a source with ordering keys is one group of the bus where one of its routes needs more
 * than their order: then it has a ceiling, and the route is named that causes it.
 */
export function groupWarnings(
  sources: readonly Declaration<"source">[],
  { settings, routes, specs, keyed }: GroupedRoutes,
  findings: Findings,
): void {
  if (!isServerless(settings)) return;
  const keyOf = (source: Declaration<"source">) => (source.value as { readonly key?: string }).key;
  const ordered = sources.filter(
    (source) => source.enabled && (keyOf(source) !== undefined || keyed.has(source.name)),
  );
  // Nothing is made of thousands of routes where no source could go faster.
  if (ordered.length === 0) return;
  const all = specs.map(({ spec }) => spec);
  const routesOf = routesBySource(all);
  const byName = new Map(routes.map((route) => [route.name, route]));
  for (const source of ordered) {
    const key = keyOf(source);
    const id = source.name;
    const { because } = busGrouping({ id, ...(key && { key }) }, routesOf.get(id) ?? []);
    const route = because === null ? undefined : byName.get(because);
    if (route === undefined) continue;
    const why =
      all.find(({ name }) => name === because)?.delivery.order === "route"
        ? "it has order: route"
        : "it has a delivery.key of its own";
    const message = `on sqs this route makes the source "${id}" one message group of the bus, of ${GROUP_CEILING} in all: ${why}. Without it the events of different keys go beside each other`;
    findings.warnings.push({ ...at(route, ["delivery"]), code: "bus-group", message });
  }
}
