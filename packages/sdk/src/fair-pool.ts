import type { TransformPool } from "./transform.ts";

export interface FairPoolOptions {
  /**
   * How much runs at a time. What takes longer than `slowMs` gives its place back and runs on
   * beside, up to `most` in all.
   */
  readonly places: number;
  /** How much of one owner runs at a time, slow or not. */
  readonly each: number;
  /** Ms; default: nothing is slow. */
  readonly slowMs?: number;
  /** Default: `places`. */
  readonly most?: number;
}

interface Waiting {
  readonly begin: () => void;
}

/**
 * A pool in which one owner's long work does not keep the places from the others: each has its
 * share, they have their turns one after the other, and what is slow moves aside.
 */
export function fairPool({ places, each, slowMs, most = places }: FairPoolOptions): TransformPool {
  const waiting = new Map<string, Set<Waiting>>();
  const running = new Map<string, number>();
  let taken = 0;
  let all = 0;

  function next(): void {
    for (const [owner, queue] of waiting) {
      if (taken >= places || all >= most) return;
      const [first] = queue;
      if (first === undefined || (running.get(owner) ?? 0) >= each) continue;
      forget(owner, first);
      // The next one's turn is behind those of the others.
      if (queue.size > 0) {
        waiting.delete(owner);
        waiting.set(owner, queue);
      }
      first.begin();
    }
  }

  function forget(owner: string, one: Waiting): void {
    const queue = waiting.get(owner);
    queue?.delete(one);
    if (queue?.size === 0) waiting.delete(owner);
  }

  function place(owner: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        forget(owner, one);
        reject(signal.reason);
      };
      const one: Waiting = {
        begin() {
          signal.removeEventListener("abort", onAbort);
          running.set(owner, (running.get(owner) ?? 0) + 1);
          taken += 1;
          all += 1;
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const queue = waiting.get(owner) ?? new Set();
      waiting.set(owner, queue.add(one));
      next();
    });
  }

  return {
    async run(owner, task, signal) {
      await place(owner, signal);
      let holds = true;
      const giveBack = (): void => {
        if (holds) taken -= 1;
        holds = false;
        next();
      };
      const timer = slowMs === undefined ? undefined : setTimeout(giveBack, slowMs);
      try {
        return await task();
      } finally {
        clearTimeout(timer);
        const left = (running.get(owner) ?? 1) - 1;
        if (left === 0) running.delete(owner);
        else running.set(owner, left);
        all -= 1;
        giveBack();
      }
    },
  };
}
