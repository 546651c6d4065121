import { hash } from "node:crypto";
import type { DeliverySpec, RouteSpec, Topology } from "@orgloop/sdk";
import type { KnownRoute, LinkedRoute } from "./declarations.ts";
import type { DocumentCache } from "./document-cache.ts";
import { type DocumentPath, valueAt } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import type { ItemNames } from "./item-names.ts";
import { mergeLayers } from "./layer.ts";
import type { LoadedDocument } from "./load-documents.ts";
import type { Scope } from "./scope.ts";

type Target = "source" | "actor" | "transform";

/** The routes of a file as the Topology has them, and what that rests on beside the text and the scope. */
interface RememberedRoutes {
  /** Each name that a route refers to, and the full name that it stood for. */
  readonly names: readonly (readonly [Target, string, string])[];
  readonly deliveries: readonly DeliverySpec[];
  /** Each with the index of its delivery, and the prompt file as it is written. */
  readonly routes: readonly (readonly [
    Omit<RouteSpec, "delivery" | "with">,
    number,
    string | null,
  ])[];
}

/** A route that is taken as it was. */
type RecalledRoute = LinkedRoute & { readonly known: KnownRoute };

/** Routes that are taken as they were, by their file. */
export type RecalledRoutes = ReadonlyMap<LoadedDocument, readonly RecalledRoute[]>;

/**
 * What decides what the routes of a file become, but for what their names stand for; undefined for a file of which nothing is
 * remembered: short ones, those of modules, and those with variables.
 */
function keyOf({ kind, document, scope }: LoadedDocument): string | undefined {
  const { cached } = document;
  if (kind !== "RouteGroup" || cached?.valid !== kind || scope.instance !== null) return undefined;
  if (document.text.includes("${")) return undefined;
  const { delivery = null } = mergeLayers(scope.defaults) as { delivery?: unknown };
  return hash("sha256", `${cached.key} ${JSON.stringify([scope.qualify(""), delivery])}`);
}

/**
 * The files whose routes are known from an earlier load, in which nothing was wrong with them: the text, the team, its defaults
 * and whatever the routes refer to are the same. `changed`: full names of routes that the workspace changes.
 */
export function recallRoutes(
  documents: readonly LoadedDocument[],
  names: ItemNames,
  changed: ReadonlySet<string>,
  cache: DocumentCache,
): RecalledRoutes {
  const all = new Map<LoadedDocument, readonly RecalledRoute[]>();
  for (const document of documents) {
    const key = keyOf(document);
    const found = key === undefined ? undefined : cache.recall(key);
    const known = found as RememberedRoutes | undefined;
    if (!known?.names.every((name) => standsFor(names, document.scope, ...name))) continue;
    if (changed.size > 0 && known.routes.some(([{ name }]) => changed.has(name))) continue;
    const routes = known.routes.map(([route, index, promptFile], at) => {
      const spec = { ...route, delivery: known.deliveries[index] as DeliverySpec };
      return recalled(document, ["routes", at], { spec, promptFile });
    });
    all.set(document, routes);
  }
  return all;
}

function standsFor(names: ItemNames, scope: Scope, kind: Target, name: string, full: string) {
  const { target } = names.find(kind, name, scope);
  return target?.name === full && target.enabled;
}

function recalled(
  { document, scope }: LoadedDocument,
  path: DocumentPath,
  known: KnownRoute,
): RecalledRoute {
  const { spec } = known;
  return {
    kind: "route",
    name: spec.name,
    get value() {
      return valueAt(document.value, path) as LinkedRoute["value"];
    },
    layers: [{ document, path }],
    scope,
    enabled: true,
    links: {
      sources: spec.when.source,
      actor: spec.then.actor,
      transforms: spec.transforms.map(({ ref }) => ref),
      awaitsActor: false,
    },
    known,
  };
}

/** Remembers the routes of every file of which `keyOf` says so, and in which nothing was found. */
export function rememberRoutes(
  documents: readonly LoadedDocument[],
  routes: readonly LinkedRoute[],
  topology: Topology,
  findings: Findings,
  cache: DocumentCache,
): void {
  const found = new Set(findings.warnings.map(({ document }) => document.absolute));
  const specs = new Map(topology.routes.map((spec) => [spec.name, spec]));
  const byFile = Map.groupBy(routes, ({ layers }) => layers.at(-1)?.document);
  for (const document of documents) {
    const key = keyOf(document);
    const own = byFile.get(document.document) ?? [];
    if (key === undefined || own.length === 0 || found.has(document.document.absolute)) continue;
    if (!own.every(isPlain)) continue;
    cache.remember(key, remembered(own, specs));
    if (document.document.cached) document.document.cached.replaced = true;
  }
}

/** Nothing else decides what it becomes: no workspace. */
const isPlain = ({ enabled, layers }: LinkedRoute) => enabled && layers.length === 1;

function remembered(
  routes: readonly LinkedRoute[],
  specs: ReadonlyMap<string, RouteSpec>,
): RememberedRoutes {
  const names = new Map<string, readonly [Target, string, string]>();
  const deliveries = new Map<DeliverySpec, number>();
  const add = (kind: Target, name: string, full: string | undefined) =>
    full && names.set(`${kind} ${name}`, [kind, name, full]);
  const all = routes.map(({ name, value, links }) => {
    for (const [at, source] of [value.when.source].flat().entries()) {
      add("source", source, links.sources[at]);
    }
    add("actor", value.then.actor, links.actor);
    for (const [at, { ref }] of (value.transforms ?? []).entries()) {
      add("transform", ref, links.transforms[at]);
    }
    const { delivery, with: _, ...spec } = specs.get(name) as RouteSpec;
    const index = deliveries.get(delivery) ?? deliveries.size;
    deliveries.set(delivery, index);
    return [spec, index, value.with?.prompt_file ?? null] as const;
  });
  return { names: [...names.values()], deliveries: [...deliveries.keys()], routes: all };
}
