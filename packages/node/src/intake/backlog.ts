import type { OrgLoopEvent } from "@orgloop/sdk";

/**
 * Which events are in and not yet done with: where a source's, or the process's, reach the bound,
 * intake waits. That is the end of backpressure: actor's queue → bus → backlog → poller or webhook.
 */
export interface Backlog {
  /** Counts an event in; the same id twice is one. */
  enter(event: OrgLoopEvent): void;
  leave(event: OrgLoopEvent): void;
  has(source: string, id: string): boolean;
  hasRoom(source: string): boolean;
  /** Resolves true when there is room for the source, false when `signal` is aborted first. */
  room(source: string, signal: AbortSignal): Promise<boolean>;
  readonly size: number;
}

export interface BacklogBounds {
  readonly perSource: number;
  readonly total: number;
}

type Wake = () => void;

export function backlog({ perSource, total }: BacklogBounds): Backlog {
  const ids = new Map<string, Set<string>>();
  const waits = roomWaits();
  let size = 0;

  const hasRoom = (source: string): boolean =>
    size < total && (ids.get(source)?.size ?? 0) < perSource;

  return {
    get size() {
      return size;
    },
    enter(event) {
      let ofSource = ids.get(event.source);
      if (ofSource === undefined) {
        ofSource = new Set();
        ids.set(event.source, ofSource);
      }
      size -= ofSource.size;
      ofSource.add(event.id);
      size += ofSource.size;
    },
    leave(event) {
      const ofSource = ids.get(event.source);
      if (!ofSource?.delete(event.id)) return;
      size -= 1;
      if (ofSource.size === 0) ids.delete(event.source);
      waits.wakeOne(event.source);
      // Where the process was full, another source may have waited for this place.
      if (size === total - 1) {
        const next = waits.sources().find(hasRoom);
        if (next !== undefined) waits.wakeOne(next);
      }
    },
    has: (source, id) => ids.get(source)?.has(id) ?? false,
    hasRoom,
    async room(source, signal) {
      while (!hasRoom(source)) {
        if (signal.aborted) return false;
        await waits.wait(source, signal);
      }
      return true;
    },
  };
}

/** Who waits for room: of each source, whoever has waited longest is woken first. */
function roomWaits() {
  const waiting = new Map<string, Set<Wake>>();
  return {
    sources: () => waiting.keys(),
    wakeOne(source: string): void {
      const wakes = waiting.get(source);
      const wake = wakes?.values().next().value;
      if (wakes === undefined || wake === undefined) return;
      wakes.delete(wake);
      if (wakes.size === 0) waiting.delete(source);
      wake();
    },
    wait(source: string, signal: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        const wakes = waiting.get(source) ?? new Set();
        waiting.set(source, wakes);
        const wake = (): void => {
          signal.removeEventListener("abort", wake);
          wakes.delete(wake);
          if (wakes.size === 0 && waiting.get(source) === wakes) waiting.delete(source);
          resolve();
        };
        wakes.add(wake);
        signal.addEventListener("abort", wake);
      });
    },
  };
}
