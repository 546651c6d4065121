import {
  childOf,
  getPath,
  isWrittenNumber,
  type OrgLoopEvent,
  plainValue,
  splitPath,
} from "@orgloop/sdk";

let readings = 0;

/**
 * One event, looked at once: what is found out about it is kept by the paths and predicates, under
 * the number of this reading.
 */
export class Reading {
  readonly event: OrgLoopEvent;
  readonly turn: number;

  constructor(event: OrgLoopEvent) {
    readings += 1;
    this.event = event;
    this.turn = readings;
  }
}

/** True for what a filter's operators look at: text, a number, true, false, null. */
export function isLeaf(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return isWrittenNumber(value);
  return value !== undefined;
}

/** A path in events; walked once a reading, however many predicates ask for what is there. */
export class EventPath {
  /** As written: `payload.action`. */
  readonly text: string;
  readonly segments: readonly string[];
  #turn = 0;
  #one: unknown;
  #many: readonly unknown[] | undefined;

  /** Throws `INVALID_PATH`. */
  constructor(text: string) {
    this.text = text;
    this.segments = splitPath(text);
  }

  /** The leaf there, a number as its double; undefined: there is none, or there are `many`. */
  one(reading: Reading): unknown {
    if (this.#turn !== reading.turn) this.#walk(reading);
    return this.#one;
  }

  /** All leaves there, where the path leads through arrays or to one; undefined: it does not. */
  many(reading: Reading): readonly unknown[] | undefined {
    if (this.#turn !== reading.turn) this.#walk(reading);
    return this.#many;
  }

  /** Own properties and array indices only, no array taken apart; undefined: nothing is there. */
  exact(reading: Reading): unknown {
    const one = this.one(reading);
    return this.#many === undefined ? one : plainValue(getPath(reading.event, this.segments));
  }

  hasLeaf(reading: Reading): boolean {
    const one = this.one(reading);
    return this.#many === undefined ? one !== undefined : this.#many.length > 0;
  }

  #walk({ event, turn }: Reading): void {
    this.#turn = turn;
    this.#one = undefined;
    this.#many = undefined;
    let value: unknown = event;
    for (const segment of this.segments) {
      if (Array.isArray(value)) break;
      value = childOf(value, segment);
      if (value === undefined) return;
    }
    if (Array.isArray(value)) this.#many = leavesAt(event, this.segments);
    else if (isLeaf(value)) this.#one = plainValue(value);
  }
}

/**
 * Every leaf to which a path leads: at an array by an index or into any of its elements
 * (EventBridge takes arrays apart), on the way and at its end. Each value is looked into once for
 * each segment, however often lists in lists lead to it.
 */
function leavesAt(event: OrgLoopEvent, segments: readonly string[]): readonly unknown[] {
  const leaves: unknown[] = [];
  const seen = segments.map(() => new Set<unknown>());

  function collect(value: unknown, from: number): void {
    const segment = segments[from];
    if (Array.isArray(value)) {
      if (segment !== undefined) {
        if (seen[from]?.has(value)) return;
        seen[from]?.add(value);
        collect(childOf(value, segment), from + 1);
      }
      for (const element of value) collect(element, from);
    } else if (segment !== undefined) {
      const child = childOf(value, segment);
      if (child !== undefined) collect(child, from + 1);
    } else if (isLeaf(value)) leaves.push(plainValue(value));
  }

  collect(event, 0);
  return leaves;
}
