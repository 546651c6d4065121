import { type DocumentPath, holdsReference } from "@orgloop/engine";
import {
  at,
  type Declaration,
  type LinkedDeclarations,
  type LinkedRoute,
} from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";

type Warn = (item: Declaration, path: DocumentPath, code: string, message: string) => unknown;

/** What the graph of a valid project leaves idle (v1alpha1, section 9: `validate`). */
export function graphWarnings(declarations: LinkedDeclarations, findings: Findings): void {
  const warn: Warn = (item, path, code, message) =>
    findings.warnings.push({ ...at(item, path), code, message });
  const routes = declarations.route.filter((route) => route.enabled);
  const usedSources = new Set(routes.flatMap(({ links }) => links.sources));
  const usedActors = new Set(routes.map(({ links }) => links.actor));
  const usedTransforms = new Set(routes.flatMap(({ links }) => links.transforms));
  const emitted = new Map<string, readonly string[]>();

  for (const source of declarations.source) {
    if (!source.enabled) continue;
    if (source.value.emits?.length) emitted.set(source.name, source.value.emits);
    if (!usedSources.has(source.name)) {
      warn(source, ["id"], "dead-source", `no route takes the events of source "${source.name}"`);
    }
  }
  for (const actor of declarations.actor) {
    if (actor.enabled && !usedActors.has(actor.name)) {
      warn(actor, ["id"], "unreachable-actor", `no route leads to actor "${actor.name}"`);
    }
  }
  for (const transform of declarations.transform) {
    if (transform.enabled && !usedTransforms.has(transform.name)) {
      const message = `no route uses transform "${transform.name}"`;
      warn(transform, ["name"], "orphan-transform", message);
    }
  }
  if (emitted.size === 0) return;
  for (const route of routes) warnAboutTypes(route, emitted, warn);
}

/**
 * Event types that none of a route's sources emits; nothing where a source does not say what it
 * emits.
 */
function warnAboutTypes(
  route: LinkedRoute,
  emitted: ReadonlyMap<string, readonly string[]>,
  warn: Warn,
): void {
  const { sources } = route.links;
  if (!sources.every((id) => emitted.has(id))) return;
  for (const [at, type] of [route.value.when.events].flat().entries()) {
    if (holdsReference(type) || sources.some((id) => emitted.get(id)?.includes(type))) continue;
    const types = new Set(sources.flatMap((id) => emitted.get(id) ?? []));
    const isList = Array.isArray(route.value.when.events);
    const path = isList ? ["when", "events", at] : ["when", "events"];
    const message = `"${type}" is not among what ${sources.join(", ")} emits: ${[...types].join(", ")}`;
    warn(route, path, "event-type-mismatch", message);
  }
}
