import { hash } from "node:crypto";
import type { EventDraft, OrgLoopEvent } from "@orgloop/sdk";
import type { Matcher } from "../routing/match/compile-matcher.ts";

export interface CompleteEventOptions {
  /** The source's id. */
  readonly source: string;
  /** The project's name. */
  readonly module: string;
  readonly nowMs: number;
  /** 16 random hex digits a call. */
  readonly randomHex: () => string;
}

/**
 * The id of an occurrence: `evt_` and 32 hex digits of a hash over the source and the platform's
 * identity of it.
 */
export function eventId(source: string, identity: string): string {
  return `evt_${hash("sha256", `${source}\0${identity}`).slice(0, 32)}`;
}

/**
 * A draft as an event: id, time, type and trace filled in where the source left them out (v1alpha1,
 * section 3).
 */
export function completeEvent(draft: EventDraft, options: CompleteEventOptions): OrgLoopEvent {
  const id =
    draft.id ??
    (draft.identity === undefined
      ? `evt_${options.randomHex()}`
      : eventId(options.source, draft.identity));
  return {
    id,
    timestamp: draft.timestamp ?? new Date(options.nowMs).toISOString(),
    source: options.source,
    type: draft.type ?? "resource.changed",
    provenance: draft.provenance,
    payload: draft.payload,
    trace_id: draft.trace_id ?? `trc_${options.randomHex()}`,
    ...(draft.ordering_key === undefined ? {} : { ordering_key: draft.ordering_key }),
    module: options.module,
  };
}

/**
 * SHA-256, in lower-case hex, of what a sender sent: by it an id that is used again for another
 * body is told from a repeat.
 */
export function bodyHash(payload: Readonly<Record<string, unknown>>): string {
  return hash("sha256", JSON.stringify(payload));
}

/**
 * In the place of a {@link bodyHash}, of what is polled: the platform's id holds the version, and
 * what is read anew may differ in little things.
 */
export const ANY_BODY = "0".repeat(64);

/**
 * The id of an event whose own id its sender had used before for another body: the same two always
 * make the same.
 */
export function reusedId(id: string, body: string): string {
  return `evt_${hash("sha256", `${id}\0${body}`).slice(0, 32)}`;
}

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
export function publicationOf(event: OrgLoopEvent, once: string): Published {
  return { ...event, once };
}

/**
 * One more publication of an event, under an id of its own on the bus (law B6). `random`: letters
 * and digits.
 */
export function publicationAgain(event: OrgLoopEvent, random: string): Published {
  return { ...event, id: `${event.id}p${random}`, publication_of: event.id };
}

/** The event under its own id, as it was published. */
export function eventOf(published: Published): OrgLoopEvent {
  if (published.once === undefined && published.publication_of === undefined) return published;
  const { once, publication_of, ...event } = published;
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
export function publicationOfReplay(
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
export function eventAndTarget(published: OrgLoopEvent): {
  event: OrgLoopEvent;
  target: ReplayTarget | null;
} {
  if (!isReplay(published)) return { event: eventOf(published), target: null };
  const { replay_of: id, replay_route: route, replay_skip: skip, ...rest } = published;
  return { event: { ...rest, id }, target: { route, skip } };
}

export function isTarget(name: string, { route, skip }: ReplayTarget): boolean {
  return (route === undefined || route === name) && !skip?.includes(name);
}

/** The routes that a replay is for. */
export function matcherFor(target: ReplayTarget, { match }: Matcher): Matcher {
  return {
    match: (event, onFault) =>
      match(event, (route, error) => {
        if (isTarget(route.name, target)) onFault?.(route, error);
      }).filter(({ name }) => isTarget(name, target)),
  };
}

export function isReplay(published: OrgLoopEvent): published is ReplayOnBus {
  return "replay_of" in published;
}

/** Ids are letters and digits. */
function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
