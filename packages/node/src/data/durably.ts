import { type LogEntry, messageOf } from "@orgloop/sdk";
import { type Clock, waitUntil } from "../process/clock.ts";

export interface DurablyOptions {
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Aborted when there is no more waiting for the disk. */
  readonly stop: AbortSignal;
}

/**
 * Writes until the disk takes it. `failed` says in the log what was not done, as `inbox not
 * drained`; `about` is what else the entry has. Null where the process stops before.
 */
export type Durably = <Result>(
  failed: string,
  write: () => Promise<Result>,
  about?: Omit<LogEntry, "timestamp" | "phase" | "error">,
) => Promise<{ readonly value: Result } | null>;

const RETRY_MS = 5_000;

export function durably({ clock, log, stop }: DurablyOptions): Durably {
  return async (failed, write, about = {}) => {
    for (;;) {
      try {
        return { value: await write() };
      } catch (error) {
        const next = stop.aborted ? "" : ", will be tried again";
        log({ ...about, phase: "system.error", error: `${failed}${next}: ${messageOf(error)}` });
        if (stop.aborted) return null;
        await waitUntil(clock, clock.now() + RETRY_MS, stop);
      }
    }
  };
}
