import {
  ABOUT_SECRETS,
  type ItemKind,
  type Provenance,
  type ValueOrigin,
  valueOrigin,
} from "@orgloop/config";
import { type DocumentPath, formatPath, ownSecretsOf, withoutSecrets } from "@orgloop/engine";
import { isMapping, type Topology } from "@orgloop/sdk";
import { causeOf } from "../plan/change-reason.ts";

interface Item {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** One value, and where it was written; null for a built-in default. */
export interface PlacedValue {
  readonly path: string;
  readonly value: unknown;
  readonly origin: ValueOrigin | null;
  /** What made it so, where that stands elsewhere: `vars.api at workspaces/staging.yaml:8`. */
  readonly cause?: string | null;
}

const ITEMS: Readonly<Record<ItemKind, (topology: Topology) => readonly Item[]>> = {
  source: ({ sources }) => sources.map((value) => ({ name: value.id, value: { ...value } })),
  actor: ({ actors }) => actors.map((value) => ({ name: value.id, value: { ...value } })),
  route: ({ routes }) => routes.map((value) => ({ name: value.name, value: { ...value } })),
  transform: ({ transforms }) =>
    transforms.map((value) => ({ name: value.name, value: { ...value } })),
  logger: ({ loggers }) => loggers.map((value) => ({ name: value.name, value: { ...value } })),
};

export const ITEM_KINDS: readonly string[] = Object.keys(ITEMS);

export function isItemKind(kind: string): kind is ItemKind {
  return Object.hasOwn(ITEMS, kind);
}

/** The items of a kind, by name. */
export function itemsOf(topology: Topology, kind: ItemKind): readonly Item[] {
  return ITEMS[kind](topology);
}

/**
 * Every value of an item of the Topology, with where it was written; secrets that are written out
 * are hidden.
 */
export function itemValues(
  provenance: Provenance,
  kind: ItemKind,
  name: string,
  item: unknown,
): PlacedValue[] {
  const own = ownSecretsOf(item);
  return leaves(item).flatMap(({ path, value }) => {
    if (ABOUT_SECRETS.includes(String(path[0]))) return [];
    const origin = valueOrigin(provenance, kind, name, path);
    const cause = origin && causeOf(provenance, kind, name, origin);
    return { path: formatPath(path), value: withoutSecrets(value, path, own), origin, cause };
  });
}

/** Everything in `value` that is neither a mapping nor a list with something in it. */
export function leaves(
  value: unknown,
  path: DocumentPath = [],
): { readonly path: DocumentPath; readonly value: unknown }[] {
  if (value === undefined) return [];
  const isNested = Array.isArray(value) || isMapping(value);
  const nested = isNested ? Object.entries(value) : [];
  if (nested.length === 0) return path.length === 0 ? [] : [{ path, value }];
  return nested.flatMap(([key, inner]) =>
    leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
