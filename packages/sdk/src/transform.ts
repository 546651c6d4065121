import type { OrgLoopEvent } from "./event.ts";

export interface TransformContext {
  readonly route: string;
  readonly actor: string;
  /** Aborted when the transform's `timeout_ms` has passed. */
  readonly signal: AbortSignal;
}

/** Bounds how much runs at a time; a transform's timeout begins when it has its place. */
export interface TransformPool {
  /**
   * Runs `task` when there is a place, the owners (routes) in turn. Rejects with what `task`
   * rejects with, and with the reason of `signal` where that is aborted before there is a place.
   */
  run<Result>(owner: string, task: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

/**
 * A running transform: returns the event (the same, or a new one; never a mutated one), or null to
 * drop it. `id` and `replay` stay the event's own whatever it returns: acks, dead letters and
 * receivers know the event by them. What it throws is handled as `on_error` says. It may see the
 * same event again and must then decide the same.
 */
export interface Transform {
  /**
   * True: it answers from the event and from what it remembers, and never waits for a process, a
   * worker or the network: it runs while the event is routed. Default: it may take its time, and
   * runs in a lane of its route and ordering key, on a copy of the event.
   */
  readonly inline?: boolean;
  /**
   * What bounds it together with others, wherever they are used. Default: 16 at a time for each
   * route.
   */
  readonly pool?: TransformPool;
  execute(event: OrgLoopEvent, context: TransformContext): Promise<OrgLoopEvent | null>;
  close?(): Promise<void>;
}
