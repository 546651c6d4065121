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
  const waiting = ownersInTurn();
  const running = new Map<string, number>();
  let taken = 0;
  let all = 0;

  function next(): void {
    for (const [owner, first] of waiting.first()) {
      if (taken >= places || all >= most) return;
      if ((running.get(owner) ?? 0) >= each) continue;
      waiting.takeTurn(owner, first);
      first.begin();
    }
  }

  function place(owner: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiting.remove(owner, one);
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
      waiting.add(owner, one);
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

/** What waits, by owner; the owner whose turn is next is the first. */
function ownersInTurn() {
  const waiting = new Map<string, Set<Waiting>>();

  function remove(owner: string, one: Waiting): void {
    const queue = waiting.get(owner);
    queue?.delete(one);
    if (queue?.size === 0) waiting.delete(owner);
  }

  return {
    /** What has waited longest of each owner; one that takes its turn meanwhile comes again. */
    *first(): Generator<readonly [owner: string, first: Waiting]> {
      for (const [owner, [first]] of waiting) if (first !== undefined) yield [owner, first];
    },
    add(owner: string, one: Waiting): void {
      waiting.set(owner, (waiting.get(owner) ?? new Set()).add(one));
    },
    remove,
    /** The owner's next turn is behind those of the others. */
    takeTurn(owner: string, one: Waiting): void {
      remove(owner, one);
      const queue = waiting.get(owner);
      if (queue === undefined) return;
      waiting.delete(owner);
      waiting.set(owner, queue);
    },
  };
}
