import type { Published } from "@orgloop/engine";
import { type ClaimStore, hasCode, type OrgLoopEvent, type SettlingEventBus } from "@orgloop/sdk";
import { type BusWrites, isDiskFull } from "../data/bus-writes.ts";
import type { Repeats } from "../intake/repeats.ts";
import { type Clock, waitUntil } from "../process/clock.ts";

/** Tells the bus what is done with, off the path of deliveries. */
export interface Settlement {
  settle(event: OrgLoopEvent, route: string): void;
  ack(event: OrgLoopEvent): void;
  /** As `ack`, of an event that no route wanted. */
  ackUnmatched(event: OrgLoopEvent): void;
  /** Resolves when the bus has all of it, or has refused it. */
  flushed(): Promise<void>;
}

export interface SettlementOptions {
  readonly bus: SettlingEventBus;
  readonly writes: BusWrites;
  readonly repeats: Pick<Repeats, "settled" | "unmatched">;
  readonly claims: Pick<ClaimStore, "written">;
  readonly clock: Clock;
  /** Told of each event that is done with. */
  readonly onAcked: ReadonlySet<(event: OrgLoopEvent) => void>;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
  /**
   * Aborted when there is no more waiting for room on the disk; what is unsettled then comes again
   * after the restart.
   */
  readonly stop: AbortSignal;
}

const DISK_FULL_RETRY_MS = 1_000;

export function settlement(options: SettlementOptions): Settlement {
  const { bus, writes, repeats, claims, clock, onAcked, onFatal, stop } = options;
  let pending = 0;
  let idle: PromiseWithResolvers<void> | null = null;

  async function write(attempt: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await writes.note(attempt());
        return true;
      } catch (error) {
        if (isDiskFull(error) && !stop.aborted) {
          await waitUntil(clock, clock.now() + DISK_FULL_RETRY_MS, stop);
          continue;
        }
        // Unsettled it comes again after the restart, or its log is no more.
        const isExpected = ["BUS_CLOSED", "WAL_REMOVED"].some((code) => hasCode(error, code));
        if (!isDiskFull(error) && !isExpected) onFatal(error);
        return false;
      }
    }
  }

  async function track(attempt: () => Promise<void>, acked?: OrgLoopEvent): Promise<void> {
    pending += 1;
    // An ack outlives a kill: so must the claims of its event.
    await claims.written?.();
    const written = await write(attempt);
    pending -= 1;
    if (written && acked) for (const listener of onAcked) listener(acked);
    if (pending === 0) idle?.resolve();
  }

  return {
    settle(event, route) {
      void track(() => bus.settle(event.id, route));
    },
    ack(event: Published) {
      // The ack says what the event's line has said: the line may go from then on.
      repeats.settled(event);
      void track(() => bus.ack(event.id, event.once), event);
    },
    ackUnmatched(event) {
      repeats.unmatched(event);
      void track(() => bus.ack(event.id), event);
    },
    flushed() {
      if (pending === 0) return Promise.resolve();
      idle = Promise.withResolvers();
      return idle.promise;
    },
  };
}
