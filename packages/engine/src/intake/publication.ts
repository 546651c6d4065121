import type { OrgLoopEvent } from "@orgloop/sdk";
import type { Matcher } from "../routing/match/compile-matcher.ts";

/**
 * An event as a process puts it on its bus, where it says more of itself than routing is to see.
 * `once`: the mark by which a repeat of it is known (`formatMark`). `publication_of`: the event's
 * own id, where this is another publication of an event that may be on the bus, too.
 */
export interface Published extends OrgLoopEvent {
  readonly once?: string;
  readonly publication_of?: string;
}

/** The first publication of an event that its sender or platform has named. */
export function firstOnBus(event: OrgLoopEvent, once: string): Published {
  return { ...event, once };
}

/**
 * One more publication of an event, under an id of its own on the bus (law B6). `random`: letters
 * and digits.
 */
export function againOnBus(event: OrgLoopEvent, random: string): Published {
  return { ...event, id: `${event.id}p${random}`, publication_of: event.id };
}

/** The event under its own id, as it was published. */
export function asPublished(held: Published): OrgLoopEvent {
  if (held.once === undefined && held.publication_of === undefined) return held;
  const { once, publication_of, ...event } = held;
  return publication_of === undefined ? event : { ...event, id: publication_of };
}

/**
 * A replay as it is on the bus. It has an id of its own there, so that it waits, is settled and
 * comes back after a crash beside the event itself, which may still be unacked (law B6); routing
 * gives it its event's id back.
 */
interface ReplayOnBus extends OrgLoopEvent {
  readonly replay: number;
  readonly replay_of: string;
  /** Only to this route. */
  readonly replay_route?: string;
  /** Not to these. */
  readonly replay_skip?: readonly string[];
}

/** To which routes a replay goes; by default to all that match. */
export interface ReplayTarget {
  readonly route?: string | undefined;
  readonly skip?: readonly string[] | undefined;
}

/** `replay` is from 1; the same one published twice is one. */
export function replayOnBus(
  event: OrgLoopEvent,
  replay: number,
  { route, skip }: ReplayTarget,
): OrgLoopEvent {
  const form: ReplayOnBus = {
    ...event,
    id: `${event.id}r${replay}${route === undefined ? "" : hex(route)}`,
    replay,
    replay_of: event.id,
    ...(route !== undefined && { replay_route: route }),
    ...(skip !== undefined && { replay_skip: skip }),
  };
  return form;
}

/** What the bus handed over: the event under its own id, and where it goes if it is a replay. */
export function offBus(held: OrgLoopEvent): { event: OrgLoopEvent; target: ReplayTarget | null } {
  if (!isReplay(held)) return { event: asPublished(held), target: null };
  const { replay_of: id, replay_route: route, replay_skip: skip, ...rest } = held;
  return { event: { ...rest, id }, target: { route, skip } };
}

export function goesTo(name: string, { route, skip }: ReplayTarget): boolean {
  return (route === undefined || route === name) && !skip?.includes(name);
}

/** The routes that a replay is for. */
export function matcherFor(target: ReplayTarget, { match }: Matcher): Matcher {
  return {
    match: (event, onFault) =>
      match(event, (route, error) => {
        if (goesTo(route.name, target)) onFault?.(route, error);
      }).filter(({ name }) => goesTo(name, target)),
  };
}

export function isReplay(held: OrgLoopEvent): held is ReplayOnBus {
  return "replay_of" in held;
}

/** Ids are letters and digits. */
function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
