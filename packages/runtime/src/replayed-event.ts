import type { OrgLoopEvent } from "@orgloop/sdk";

/**
 * A replay as it is on the bus. It has an id of its own there, so that it waits, is settled and comes back after a crash beside the event
 * itself, which may still be unacked (law B6); routing gives it its event's id back.
 */
interface ReplayOnBus extends OrgLoopEvent {
  readonly replay: number;
  readonly replay_of: string;
  /** Only to this route. */
  readonly replay_route?: string;
}

/** `replay` is from 1; the same one published twice is one. */
export function replayOnBus(event: OrgLoopEvent, replay: number, route?: string): OrgLoopEvent {
  const form: ReplayOnBus = {
    ...event,
    id: `${event.id}r${replay}${route === undefined ? "" : hex(route)}`,
    replay,
    replay_of: event.id,
    ...(route !== undefined && { replay_route: route }),
  };
  return form;
}

/** What the bus handed over: the event under its own id, and the only route it is for, if there is one. */
export function offBus(held: OrgLoopEvent): { event: OrgLoopEvent; route: string | null } {
  if (!isReplay(held)) return { event: held, route: null };
  const { replay_of: id, replay_route: route = null, ...rest } = held;
  return { event: { ...rest, id }, route };
}

export function isReplay(held: OrgLoopEvent): held is ReplayOnBus {
  return "replay_of" in held;
}

/** Ids are letters and digits. */
function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}
