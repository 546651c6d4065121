import type { DocumentPath } from "@orgloop/engine";
import { DEFAULT_MAX_RETRY_AFTER, isMapping, type RouteSpec, type Topology } from "@orgloop/sdk";
import { ITEM_KINDS, identityOf } from "../resolve/declarations.ts";
import type { TopologyRoute } from "../resolve/topology-routes.ts";
import { byText } from "./canonical-topology.ts";

export const PLAN_KINDS = [...ITEM_KINDS, "bus", "workspace"] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];
export type PlanAction = "add" | "change" | "remove";

/**
 * One value that differs; undefined on the side that does not have it. Lists are compared whole.
 */
export interface Difference {
  readonly path: DocumentPath;
  readonly from: unknown;
  readonly to: unknown;
}

/** What happens to one item. `kind` and `name` are unique in a plan. */
export interface PlanChange {
  readonly kind: PlanKind;
  /** The full name of an item; `bus`; the name of the workspace. */
  readonly name: string;
  readonly action: PlanAction;
  /** Of a change: at least one, by path. Else empty. */
  readonly differences: readonly Difference[];
  /** The whole item on each side; null where there is none. */
  readonly from: unknown;
  readonly to: unknown;
}

/** What makes one topology another. */
export interface Plan {
  /** By kind, then name. */
  readonly changes: readonly PlanChange[];
  /** How many items each action has. */
  readonly counts: Readonly<Record<PlanAction, number>>;
  /** e.g. `3 sources added, 1 route changed, 2 transforms removed`. */
  readonly summary: string;
}

/** Where `from` and `to` differ, by path. */
export function differences(from: unknown, to: unknown, path: DocumentPath = []): Difference[] {
  if (same(from, to)) return [];
  if (!isMapping(from) || !isMapping(to)) return [{ path, from, to }];
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
  return keys.flatMap((key) => differences(ownValue(from, key), ownValue(to, key), [...path, key]));
}

const ownValue = (mapping: Record<string, unknown>, key: string) =>
  Object.hasOwn(mapping, key) ? mapping[key] : undefined;

/**
 * Deep equality of JSON values; a key without a value counts as absent. Makes nothing: thousands of
 * items are alike.
 */
function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || !left || !right) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, at) => same(item, right[at]));
  }
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  for (const key in one) if (!same(one[key], ownValue(other, key))) return false;
  for (const key in other) if (other[key] !== undefined && !Object.hasOwn(one, key)) return false;
  return true;
}

type Items = Map<string, Record<string, unknown>>;

/** The items of a kind, by name, each with what defaults fill in as it runs. */
function itemsOf(topology: Topology, kind: (typeof ITEM_KINDS)[number]): Items {
  const items: Items = new Map();
  for (const item of topology[`${kind}s`]) {
    const value = item as object as Record<string, unknown>;
    const filled =
      kind === "source"
        ? withDefaults(value, topology.defaults)
        : kind === "route"
          ? withRetryAfter(value)
          : value;
    items.set(String(value[identityOf(kind)]), filled);
  }
  return items;
}

function withDefaults(
  source: Record<string, unknown>,
  { poll_interval, repeat_window }: Topology["defaults"],
): Record<string, unknown> {
  const silent = source.repeat_window === undefined && repeat_window !== undefined;
  return {
    ...source,
    ...(!source.poll && { poll: { interval: poll_interval } }),
    ...(silent && { repeat_window }),
  };
}

/** A release that does not know `max_retry_after` is no change of a route. */
function withRetryAfter(route: Record<string, unknown>): Record<string, unknown> {
  const { delivery } = route as Partial<RouteSpec>;
  const retry = delivery?.retry;
  if (retry === undefined || retry.max_retry_after !== undefined) return route;
  const filled = { ...retry, max_retry_after: DEFAULT_MAX_RETRY_AFTER };
  return { ...route, delivery: { ...delivery, retry: filled } };
}

/** What an item says of its secrets follows from the rest of it. */
export const ABOUT_SECRETS: readonly string[] = ["from_vars", "secret_paths"];

function change(kind: PlanKind, name: string, from: unknown, to: unknown): PlanChange[] {
  const action = from === undefined ? "add" : to === undefined ? "remove" : "change";
  const found =
    action === "change"
      ? differences(from, to).filter(({ path }) => !ABOUT_SECRETS.includes(String(path[0])))
      : [];
  if (action === "change" && found.length === 0) return [];
  return [{ kind, name, action, differences: found, from: from ?? null, to: to ?? null }];
}

/** What of a topology is neither an item nor the bus. */
function settingsOf(topology: Topology): Record<string, unknown> {
  const { sources, actors, routes, transforms, loggers, bus, ...settings } = topology;
  return settings;
}

/**
 * What makes `from` (null: nothing was ever applied) `to`: over everything that matters, prompt
 * texts and whatever defaults fill in included. Deterministic; empty where both are the same. A
 * default poll interval or repeat window shows at each source that it fills in as well as at the
 * workspace. `routes`: those of `to`, where they need not all be made.
 */
export function planTopology(
  from: Topology | null,
  to: Topology,
  routes?: readonly TopologyRoute[],
): Plan {
  const changes = from === null ? additions(to, routes) : changesBetween(from, to);
  const counts = { add: 0, change: 0, remove: 0 };
  for (const { action } of changes) counts[action]++;
  return { changes, counts, summary: summarize(changes) };
}

function changesBetween(from: Topology, to: Topology): PlanChange[] {
  const changes: PlanChange[] = [];
  for (const kind of ITEM_KINDS) {
    const before = itemsOf(from, kind);
    const after = itemsOf(to, kind);
    // By UTF-16 code unit, as everywhere.
    const names = [...new Set([...before.keys(), ...after.keys()])].sort();
    for (const name of names) {
      changes.push(...change(kind, name, before.get(name), after.get(name)));
    }
  }
  changes.push(...change("bus", "bus", from.bus, to.bus));
  changes.push(...change("workspace", to.workspace, settingsOf(from), settingsOf(to)));
  return changes;
}

function additions(to: Topology, routes: readonly TopologyRoute[] | undefined): PlanChange[] {
  return ITEM_KINDS.flatMap((kind): PlanChange[] => {
    const all =
      kind === "route" && routes
        ? routes.map((route) => new AddedRoute(route))
        : Array.from(itemsOf(to, kind), ([name, item]) => ({ ...NEW, kind, name, to: item }));
    return all.sort((left, right) => byText(left.name, right.name));
  });
}

const NEW = { action: "add", differences: [], from: null } as const;

/** What it is, is looked at when it is told. */
class AddedRoute implements PlanChange {
  readonly kind = "route";
  readonly name: string;
  readonly action = "add";
  readonly differences: readonly Difference[] = NEW.differences;
  readonly from = null;
  readonly #route: TopologyRoute;

  constructor(route: TopologyRoute) {
    this.name = route.name;
    this.#route = route;
  }

  get to() {
    return this.#route.spec;
  }
}

const DONE: Readonly<Record<PlanAction, string>> = {
  add: "added",
  change: "changed",
  remove: "removed",
};

/** The plan in one line, in the words of the specification. */
function summarize(changes: readonly PlanChange[]): string {
  const counts = new Map<string, { kind: PlanKind; action: PlanAction; count: number }>();
  for (const kind of PLAN_KINDS) {
    for (const action of ["add", "change", "remove"] as const) {
      counts.set(`${kind} ${action}`, { kind, action, count: 0 });
    }
  }
  for (const { kind, action } of changes) {
    const entry = counts.get(`${kind} ${action}`);
    if (entry) entry.count++;
  }
  const parts = [...counts.values()]
    .filter(({ count }) => count > 0)
    .map(
      ({ kind, action, count }) => `${count} ${count === 1 ? kind : plural(kind)} ${DONE[action]}`,
    );
  return parts.length === 0
    ? "No changes. The running state matches the configuration."
    : parts.join(", ");
}

const plural = (kind: PlanKind) => `${kind}${kind === "bus" ? "es" : "s"}`;
