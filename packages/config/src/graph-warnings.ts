import type { Declaration, Declarations } from "./declarations.ts";
import type { DocumentPath } from "./document-path.ts";
import type { Findings } from "./findings.ts";
import { holdsReference } from "./schema/fields.ts";

const asList = <Item>(value: Item | Item[]): Item[] => (Array.isArray(value) ? value : [value]);

/** What the graph of a valid project leaves idle (v1alpha1, section 9: `validate`). */
export function graphWarnings(declarations: Declarations, findings: Findings): void {
  const warn = (declaration: Declaration, path: DocumentPath, code: string, message: string) => {
    findings.warnings.push({
      document: declaration.document,
      path: [...declaration.path, ...path],
      at: "value",
      code,
      message,
    });
  };
  const routes = declarations.route.filter((route) => route.enabled);
  const usedSources = new Set(routes.flatMap((route) => asList(route.value.when.source)));
  const usedActors = new Set(routes.map((route) => route.value.then.actor));
  const usedTransforms = new Set(
    routes.flatMap((route) => (route.value.transforms ?? []).map((use) => use.ref)),
  );
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
  for (const route of routes) {
    const { source, events } = route.value.when;
    const lists = asList(source).map((id) => emitted.get(id));
    if (lists.some((list) => list === undefined)) continue;
    const types = new Set(lists.flat());
    for (const [at, type] of asList(events).entries()) {
      if (types.has(type) || holdsReference(type)) continue;
      warn(
        route,
        Array.isArray(events) ? ["when", "events", at] : ["when", "events"],
        "event-type-mismatch",
        `"${type}" is not among what ${asList(source).join(", ")} emits: ${[...types].join(", ")}`,
      );
    }
  }
}
