import type { OrgLoopEvent } from "@orgloop/sdk";

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
