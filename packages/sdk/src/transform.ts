import type { OrgLoopEvent } from "./event.ts";

export interface TransformContext {
  readonly route: string;
  readonly actor: string;
  /** Aborted when the transform's `timeout_ms` has passed. */
  readonly signal: AbortSignal;
}

/**
 * A running transform: returns the event (the same, or a new one; never a mutated one), or null to drop it. `id` and `replay` stay
 * the event's own whatever it returns: acks, dead letters and receivers know the event by them.
 * What it throws is handled as `on_error` says. It may see the same event again and must then decide the same.
 */
export interface Transform {
  execute(event: OrgLoopEvent, context: TransformContext): Promise<OrgLoopEvent | null>;
  close?(): Promise<void>;
}
