/**
 * How often a host has died at something: begins that no end has taken back. Asked only of what has
 * come back, so that a healthy host keeps nothing.
 */
export interface Deaths {
  /** What it is that dies, for people: `process`, `function`. */
  readonly host: string;
  /** Counts one begin more; resolves with how many before it had no end. */
  begin(key: string): Promise<number>;
  /** It ended, well or not: the host lives. */
  end(key: string): Promise<void>;
}

/** A host that has died so often at one thing, after it came back, gives it up. */
export const MAX_DEATHS = 3;

/** What deaths at the routing of an event are counted under. `replay`: 0, or which replay it is. */
export const routingKey = (eventId: string, replay: number): string =>
  JSON.stringify([eventId, replay, ""]);

/** The same for the slow transforms of one of its routes. */
export const transformsKey = (eventId: string, replay: number, route: string): string =>
  JSON.stringify([eventId, replay, route, "transforms"]);
