import type { AttemptStarts } from "../delivery/attempt-starts.ts";
import { sourceKey } from "../delivery/kept-starts.ts";

/**
 * Waits that sources have asked for by Retry-After: the process that comes after is to wait as
 * long.
 */
export interface SourceWaits {
  /**
   * Until when the source was to be left alone as the process before ended, in ms of `clock.now`;
   * null: it was not.
   */
  until(source: string): number | null;
  /** Keeps until when it has asked to be left alone; null: it is over. */
  keep(source: string, untilMs: number | null): void;
}

export function sourceWaits(starts: Pick<AttemptStarts, "ask" | "askedUntil">): SourceWaits {
  return {
    until: (source) => starts.askedUntil(sourceKey(source), Number.POSITIVE_INFINITY),
    keep: (source, untilMs) => starts.ask(sourceKey(source), untilMs),
  };
}
