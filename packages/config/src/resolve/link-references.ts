import { type DocumentPath, holdsReference, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { type Connector, connectorAt, findConnectors } from "../modules/module-connectors.ts";
import { mayBeUnread, mayBeUnreadIn, type Unread } from "../read/yaml/unread.ts";
import {
  at,
  type Declaration,
  type Declarations,
  type ItemKind,
  identityOf,
  type LinkedDeclarations,
  type LinkedRoute,
  placeOf,
  type RouteLinks,
} from "./declarations.ts";
import type { Findings } from "./findings.ts";
import { type ItemNames, itemNames } from "./item-names.ts";
import { type Instance, ownersOf, type Team } from "./scope.ts";

/** The full name that stands for `name`, which is written at `path`. */
type Resolve = (kind: ItemKind, name: string, path: DocumentPath) => string;

/**
 * The routes with the full name of whatever they refer to: looked up in the route's scope, then in
 * the scopes around it. An unknown name, one that another team does not export, and one that is
 * switched off are errors where they stand, and so are two items of one name. Routes of a module
 * that need a connector which is missing are left out, or marked to wait, as the module says.
 * Unknown names that may be declared in what is unread are not reported.
 */
export function linkReferences(
  declarations: Declarations,
  teams: readonly Team[],
  instances: readonly Instance[],
  unread: Unread,
  findings: Findings,
): LinkedDeclarations {
  const names = itemNames(declarations, (item, first) => {
    const message = `there is already ${article(item.kind)} "${item.name}", at ${placeOf(first)}`;
    const place = at(item, [identityOf(item.kind)]);
    findings.errors.push({ ...place, code: "duplicate-name", message });
  });
  const connectors = findConnectors(instances, names, unread, findings);
  const link = (item: Declaration<"route">): LinkedRoute | undefined => {
    const missing: Connector[] = [];
    const ofModule = item.scope.instance ? connectors.get(item.scope.instance) : undefined;
    const resolve: Resolve = (kind, name, path) => {
      const connector = connectorAt(item, kind, name, path, ofModule, names);
      if (connector !== undefined && connector.target === undefined) {
        missing.push(connector);
        return connector.name;
      }
      const { target, problem } =
        connector === undefined
          ? names.find(kind, name, item.scope)
          : { target: connector.target, problem: undefined };
      if (target === undefined) {
        if (problem && !mayBeUnreadIn(unread, name, item.scope)) {
          findings.errors.push({ ...at(item, path), ...problem });
        }
        return name;
      }
      if (!target.enabled && item.enabled) disabled(item, path, kind, target, findings);
      return target.name;
    };
    const full = fullNames(item.value, resolve);
    if (missing.some(({ fallback }) => fallback === "skip")) return undefined;
    const awaitsActor = missing.some(({ kind }) => kind === "actor");
    return { ...item, links: { ...full, awaitsActor } };
  };
  const route: LinkedRoute[] = [];
  for (const item of declarations.route) {
    const linked = link(item);
    if (linked !== undefined) route.push(linked);
  }
  checkExports(teams, names, unread, findings);
  return { ...declarations, route };
}

function disabled(
  item: Declaration,
  path: DocumentPath,
  kind: ItemKind,
  target: Declaration,
  findings: Findings,
): void {
  const { team } = target.scope;
  const whose = team && team !== item.scope.team ? ownersOf(team) : "";
  // A source that is off sends nothing, which does no harm; a delivery needs its actor and
  // transforms.
  const list = kind === "source" ? findings.warnings : findings.errors;
  const off = at(target, ["enabled"]);
  const code = "disabled-reference";
  if (off.document !== target.layers.at(-1)?.document) {
    const needs = `${kind} "${target.name}"${whose} is switched off here, and route "${item.name}" refers to it`;
    const message = `${needs} (${placed(item, path)}): switch the route off as well, or give it another`;
    list.push({ ...off, code, message });
    return;
  }
  const message = `${kind} "${target.name}"${whose} is switched off (enabled: false) at ${placeOf(target)}`;
  list.push({ ...at(item, path), code, message });
}

/** `routes/a.yaml:12:5` of what an item refers to. */
function placed(item: Declaration, path: DocumentPath): string {
  const { document, path: written } = at(item, path);
  const { line, column } = document.locate(written);
  return `${document.file}:${line}:${column}`;
}

const article = (kind: ItemKind) => `${kind === "actor" ? "an" : "a"} ${kind}`;

const SOURCE: DocumentPath = ["when", "source"];
const ACTOR: DocumentPath = ["then", "actor"];

/** The full names of what the route refers to; its shape may be anything yet. */
function fullNames(
  route: Record<string, unknown>,
  resolve: Resolve,
): Omit<RouteLinks, "awaitsActor"> {
  const { when, then, transforms } = route;
  const full = (kind: ItemKind, name: unknown, path: DocumentPath): string[] => {
    if (typeof name !== "string") return [];
    return [holdsReference(name) ? name : resolve(kind, name, path)];
  };
  const source = isMapping(when) ? when.source : undefined;
  const uses = Array.isArray(transforms) ? transforms : [];
  return {
    sources: Array.isArray(source)
      ? source.flatMap((name, index) => full("source", name, [...SOURCE, index]))
      : full("source", source, SOURCE),
    actor: full("actor", isMapping(then) ? then.actor : undefined, ACTOR)[0] ?? "",
    transforms: uses.flatMap((use, index) =>
      full("transform", isMapping(use) ? use.ref : undefined, ["transforms", index, "ref"]),
    ),
  };
}

/** Exports of what a team does not have. */
function checkExports(
  teams: readonly Team[],
  names: ItemNames,
  unread: Unread,
  findings: Findings,
): void {
  for (const team of teams) {
    const exported = valueAt(team.document?.value, ["exports"]);
    if (!team.document || !Array.isArray(exported)) continue;
    for (const [index, name] of exported.entries()) {
      if (typeof name !== "string" || holdsReference(name)) continue;
      const problem = names.checkExport(team, name);
      const place = { document: team.document, path: ["exports", index], at: "value" } as const;
      if (problem && !mayBeUnread(unread, `${team.name}/${name}`)) {
        findings.errors.push({ ...place, ...problem });
      }
    }
  }
}
