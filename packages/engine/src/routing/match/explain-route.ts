import {
  type Filter,
  getPath,
  isMapping,
  isWrittenNumber,
  type OrgLoopEvent,
  type RouteSpec,
} from "@orgloop/sdk";
import type { DocumentPath } from "../../settings/document-path.ts";
import { soundFilter } from "./check-filter.ts";
import { rootOf } from "./conjunction.ts";
import { Reading } from "./event-path.ts";
import { compileJointly } from "./joint-conditions.ts";
import type { Predicate } from "./predicate.ts";
import { shown } from "./text-operators.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Why a route takes an event, or does not. */
export type Explanation =
  | { readonly matched: true }
  | { readonly matched: false; readonly stoppedBy: Stop };

/** The first predicate that does not hold, in the order: source, type, the filter as written. */
export interface Stop {
  /** Where it stands in the route: `["when", "filter", "payload.action"]`. */
  readonly place: DocumentPath;
  /** The path in the event, as written; `$or` for a choice. */
  readonly path: string;
  /**
   * `equals` or an operator's name; `any of`: a list of several; `$or`: no branch holds;
   * `together`: it holds for no element of an array for which those before it hold.
   */
  readonly operator: string;
  /** What the operator is given; of `any of` the list, of `$or` the branches. */
  readonly operand: unknown;
  /** What would have passed, in words: `"opened" or text that begins with "re"`. */
  readonly expected: string;
  /** What is there, in words: `"closed"`, `nothing`, `"a", "b" and 7 more`. */
  readonly found: string;
  /** The leaves that were compared; none of a choice. */
  readonly values: readonly unknown[];
  /** What stopped each branch of `$or`. */
  readonly branches?: readonly Stop[];
}

/** Why the route takes the event, or does not. Throws `INVALID_FILTER`, `INVALID_PATH`. */
export function explainRoute({ when }: RouteSpec, event: OrgLoopEvent): Explanation {
  const reading = new Reading(event);
  const stop =
    stoppedByName("source", when.source, ["when", "source"], event.source) ??
    stoppedByName("type", when.events, ["when", "events"], event.type) ??
    stoppedByFilter(soundFilter(when.filter ?? {}), ["when", "filter"], reading);
  return stop === undefined ? { matched: true } : { matched: false, stoppedBy: stop };
}

function stoppedByName(
  path: string,
  names: readonly string[],
  place: DocumentPath,
  value: string,
): Stop | undefined {
  if (names.includes(value)) return undefined;
  const operator = names.length === 1 ? "equals" : "any of";
  return {
    ...{ place, path, operator, operand: names.length === 1 ? names[0] : names },
    ...{ expected: names.map(shown).join(" or "), found: shown(value), values: [value] },
  };
}

/** `above`: what holds around a branch of `$or`, with which it must hold together. */
function stoppedByFilter(
  { $or, ...entries }: Filter,
  place: DocumentPath,
  reading: Reading,
  above: readonly Predicate[] = [],
): Stop | undefined {
  const vocabulary = new Vocabulary();
  const held = [...above];
  for (const [path, value] of Object.entries(entries)) {
    const predicate = vocabulary.predicate(path, value);
    const found = foundBy(predicate, path, [...place, path], reading);
    if (!predicate.holds(reading)) return { ...found, expected: predicate.expected };
    held.push(predicate);
    if (compileJointly(held)?.(reading) === false) {
      const one = held.filter((other) => !other.exact && rootOf(other) === rootOf(predicate));
      const wanted = one.map((other) => `${other.path.text}: ${other.expected}`).join(", ");
      return { ...found, operator: "together", expected: `one element with ${wanted}` };
    }
  }
  if (!Array.isArray($or)) return undefined;
  const branches: Stop[] = [];
  for (const [at, branch] of ($or as readonly Filter[]).entries()) {
    const stop = stoppedByFilter(branch, [...place, "$or", at], reading, held);
    if (stop === undefined) return undefined;
    branches.push(stop);
  }
  return {
    ...{
      place: [...place, "$or"],
      path: "$or",
      operator: "$or",
      operand: $or,
      values: [],
      branches,
    },
    expected: `one of ${branches.length} branches`,
    found: branches.map(({ path, found }) => `${path}: ${found}`).join("; "),
  };
}

function foundBy(
  { path, operator, operand, exact }: Predicate,
  written: string,
  place: DocumentPath,
  reading: Reading,
): Omit<Stop, "expected"> {
  const one = exact ? path.exact(reading) : path.one(reading);
  const values = one === undefined ? (path.many(reading) ?? []) : [one];
  const found =
    values.length === 0 ? inWords(getPath(reading.event, path.segments)) : listed(values);
  return { place, path: written, operator, operand, found, values };
}

const SHOWN = 5;

function listed(values: readonly unknown[]): string {
  const first = values.slice(0, SHOWN).map(inWords);
  const more = values.length - first.length;
  return more > 0 ? `${first.join(", ")} and ${more} more` : first.join(", ");
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isMapping(value) && !isWrittenNumber(value)) return "a mapping";
  return shown(value);
}
