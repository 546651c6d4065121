import type { Filter, RouteSpec } from "@orgloop/sdk";
import type { DocumentPath } from "../../settings/document-path.ts";
import { soundFilter } from "./check-filter.ts";
import { type Key, keysAreDisjoint } from "./keys.ts";
import type { Predicate } from "./predicate.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Why a route, or a branch of its `$or`, can never match. */
export interface Contradiction {
  /** In the route: `["when", "filter", "payload.size"]`. */
  readonly place: DocumentPath;
  /** In words, about what stands there: `no value is a number > 10 and < 5`. */
  readonly message: string;
  /** A branch of `$or` alone: the route may match by another. */
  readonly branch: boolean;
  /** The place that it contradicts; absent: it contradicts itself. */
  readonly against?: DocumentPath;
}

interface Placed {
  readonly predicate: Predicate;
  readonly place: DocumentPath;
}

/**
 * What of a route's `when` cannot hold together, whatever the event: with itself, with what stands
 * above it, or with `source` and `events`. Found is what the operators' keys tell; a filter of
 * which nothing is found may still never match. Throws `INVALID_FILTER`, `INVALID_PATH`.
 */
export function contradictions({ when }: RouteSpec): readonly Contradiction[] {
  const vocabulary = new Vocabulary();
  const own = [
    { predicate: vocabulary.predicate("source", when.source), place: ["when", "source"] },
    { predicate: vocabulary.predicate("type", when.events), place: ["when", "events"] },
  ];
  return ofFilter(soundFilter(when.filter ?? {}), ["when", "filter"], own, vocabulary);
}

function ofFilter(
  { $or, ...entries }: Filter,
  place: DocumentPath,
  above: readonly Placed[],
  vocabulary: Vocabulary,
): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const held = [...above];
  for (const [path, value] of Object.entries(entries)) {
    const one = { predicate: vocabulary.predicate(path, value), place: [...place, path] };
    const message = impossible(one.predicate);
    if (message !== undefined) found.push({ place: one.place, message, branch: false });
    else found.push(...against(one, held).slice(0, 1));
    held.push(one);
  }
  if (!Array.isArray($or)) return found;
  const branches = ($or as readonly Filter[]).map((branch, at) =>
    ofFilter(branch, [...place, "$or", at], held, vocabulary),
  );
  if (branches.every((all) => all.some(({ branch }) => !branch))) {
    found.push({
      place: [...place, "$or"],
      message: "none of its branches can hold",
      branch: false,
    });
  }
  return [...found, ...branches.flat().map((one) => ({ ...one, branch: true }))];
}

function impossible(predicate: Predicate): string | undefined {
  if (predicate.orAbsent || predicate.keys()?.length !== 0) return undefined;
  return `no value is ${predicate.expected}`;
}

function against(one: Placed, held: readonly Placed[]): readonly Contradiction[] {
  return held.flatMap((other) => {
    const message = conflict(other.predicate, one.predicate);
    if (message === undefined) return [];
    return [{ place: one.place, message, branch: false, against: other.place }];
  });
}

const INDEX = /^(?:\d+|length)$/;

/** Why two predicates of one conjunction cannot both hold; undefined: they may. */
function conflict(one: Predicate, other: Predicate): string | undefined {
  if (one.orAbsent && other.orAbsent) return undefined;
  const [upper, lower] =
    one.path.segments.length <= other.path.segments.length ? [one, other] : [other, one];
  const depth = upper.path.segments.length;
  // At a list, its own place and its elements are told apart by the event alone.
  if (lower.path.segments.some((segment) => INDEX.test(segment))) return undefined;
  if (upper.path.segments.some((segment, at) => segment !== lower.path.segments[at])) {
    return undefined;
  }
  if (lower.path.segments.length > depth) {
    if (upper.orAbsent || lower.orAbsent) return undefined;
    return `${upper.path.text} is a value, so there can be no ${lower.path.text}`;
  }
  if (!noLeafPassesBoth(one, other)) return undefined;
  return `nothing is both ${one.expected} and ${other.expected}`;
}

function noLeafPassesBoth(one: Predicate, other: Predicate): boolean {
  const [ones, others] = [one.keys(), other.keys()];
  const nonePasses = (all: typeof ones, than: Predicate) =>
    all?.every((keys) => keys.some((key) => key.kind === "value" && !than.passes(key.value))) ===
    true;
  if (nonePasses(ones, other) || nonePasses(others, one)) return true;
  if (ones === null || others === null) return false;
  return ones.every((keys) => others.every((less) => areDisjoint(keys, less)));
}

const areDisjoint = (keys: readonly Key[], others: readonly Key[]) =>
  keys.some((key) => others.some((other) => keysAreDisjoint(key, other)));
