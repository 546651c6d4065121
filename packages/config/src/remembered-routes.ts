import { hash } from "node:crypto";
import type { Declaration, Declarations, ItemInputs, LinkedRoute } from "./declarations.ts";
import type { DocumentCache } from "./document-cache.ts";
import type { Findings } from "./findings.ts";
import type { ItemNames } from "./item-names.ts";
import { mergeLayers } from "./layer.ts";
import type { LoadedDocument } from "./load-documents.ts";
import {
  type Meaning,
  RecalledRoute,
  type RememberedRoutes,
  recalledFile,
  type Target,
} from "./recalled-route.ts";

/** Routes in which nothing is wrong, by their file. */
export type RecalledRoutes = ReadonlyMap<LoadedDocument, readonly LinkedRoute[]>;

/**
 * What decides whether something is wrong with the routes of a file, but for what their names stand for; undefined for a file of which
 * nothing is remembered: short ones, those of modules, and those with variables.
 */
function keyOf({ kind, document, scope }: LoadedDocument): string | undefined {
  const { cached } = document;
  if (kind !== "RouteGroup" || cached?.valid !== kind || scope.instance !== null) return undefined;
  if (document.text.includes("${")) return undefined;
  const { delivery = null } = mergeLayers(scope.defaults) as { delivery?: unknown };
  return hash("sha256", `${cached.key} ${JSON.stringify([scope.qualify(""), delivery])}`);
}

/**
 * The routes of the files in which an earlier load has found nothing wrong, where the text, the team, its defaults and whatever the routes
 * refer to are the same. `changed`: full names of routes that the workspace changes.
 */
export function recallRoutes(
  documents: readonly LoadedDocument[],
  names: ItemNames,
  changed: ReadonlySet<string>,
  cache: DocumentCache,
): RecalledRoutes {
  const all = new Map<LoadedDocument, readonly LinkedRoute[]>();
  for (const document of documents) {
    const key = keyOf(document);
    const known = (key === undefined ? undefined : cache.recall(key)) as
      | RememberedRoutes
      | undefined;
    if (!known?.meanings.every((meaning) => stillMeans(names, document, meaning))) continue;
    if (changed.size > 0 && known.names.some((name) => changed.has(name))) continue;
    const file = recalledFile(document, known);
    all.set(
      document,
      known.names.map((name, index) => new RecalledRoute(name, file, index)),
    );
  }
  return all;
}

function stillMeans(
  names: ItemNames,
  { scope }: LoadedDocument,
  [kind, name, full, emits]: Meaning,
): boolean {
  const { target } = names.find(kind, name, scope);
  if (target?.name !== full || !target.enabled) return false;
  const now = emitsOf(target);
  return now === emits || JSON.stringify(now) === JSON.stringify(emits);
}

const emitsOf = ({ kind, value }: Declaration): readonly string[] | null =>
  (kind === "source" ? (value as ItemInputs["source"]).emits : null) ?? null;

/** Remembers the routes of every file of which `keyOf` says so, and in which nothing was found. */
export function rememberRoutes(
  documents: readonly LoadedDocument[],
  routes: readonly LinkedRoute[],
  sources: Declarations["source"],
  findings: Findings,
  cache: DocumentCache,
): void {
  const found = new Set(findings.warnings.map(({ document }) => document.absolute));
  const byFile = Map.groupBy(routes, ({ layers }) => layers.at(-1)?.document);
  const emits = new Map<string, readonly string[]>();
  for (const { name, value } of sources) if (value.emits) emits.set(name, value.emits);
  for (const document of documents) {
    const key = keyOf(document);
    const own = byFile.get(document.document) ?? [];
    if (key === undefined || own.length === 0 || found.has(document.document.absolute)) continue;
    if (own.every(isPlain)) cache.remember(key, remembered(own, emits));
  }
}

/** Nothing else decides what it becomes: no workspace. */
const isPlain = ({ enabled, layers }: LinkedRoute) => enabled && layers.length === 1;

function remembered(
  routes: readonly LinkedRoute[],
  emits: ReadonlyMap<string, readonly string[]>,
): RememberedRoutes {
  const meanings = new Map<string, Meaning>();
  const add = (kind: Target, name: string, full: string | undefined) => {
    const key = `${kind} ${name}`;
    if (!full || meanings.has(key)) return;
    meanings.set(key, [kind, name, full, (kind === "source" && emits.get(full)) || null]);
  };
  for (const { value, links } of routes) {
    for (const [at, source] of [value.when.source].flat().entries()) {
      add("source", source, links.sources[at]);
    }
    add("actor", value.then.actor, links.actor);
    for (const [at, { ref }] of (value.transforms ?? []).entries()) {
      add("transform", ref, links.transforms[at]);
    }
  }
  return {
    meanings: [...meanings.values()],
    names: routes.map(({ name }) => name),
    promptFiles: routes.flatMap(({ value }, at) => {
      const file = value.with?.prompt_file;
      return file === undefined ? [] : [[at, file] as const];
    }),
  };
}
