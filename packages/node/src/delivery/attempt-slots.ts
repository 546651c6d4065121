import { ownDescriptorShares } from "../data/descriptor-shares.ts";

/** Bounds the attempts of all actors together. */
export interface AttemptSlots {
  /** For one more actor. */
  join(): ActorSlots;
  readonly inUse: number;
}

/** What one actor has of them. */
export interface ActorSlots {
  /** True where an attempt may begin now; else `onFree` is called, once, when one may. */
  isFree(onFree: () => void): boolean;
  take(): void;
  give(): void;
  /** The actor is no more. */
  leave(): void;
}

/** Has a slot as long as `run` takes. */
export async function within(slots: ActorSlots, run: () => Promise<void>): Promise<void> {
  slots.take();
  try {
    await run();
  } finally {
    slots.give();
  }
}

interface Holder {
  used: number;
}

/**
 * At most `most` attempts at a time: each may hold a socket. Up to half of them go to whoever asks;
 * of the other half each actor has its equal share, one at least, so that actors that hang take
 * none from one that does not. What finds no slot waits in its queue: its attempt, and so its
 * timeout, has not begun.
 */
export function attemptSlots(most: number): AttemptSlots {
  const actors = new Set<Holder>();
  const waiting = new Map<Holder, () => void>();
  let inUse = 0;

  function mayBegin({ used }: Holder): boolean {
    if (inUse < most / 2) return true;
    const share = Math.max(1, Math.floor(most / 2 / actors.size));
    return used < share && inUse < most;
  }

  function wake(): void {
    for (const [holder, onFree] of [...waiting]) {
      if (inUse >= most) return;
      if (mayBegin(holder) && waiting.delete(holder)) onFree();
    }
  }

  return {
    get inUse() {
      return inUse;
    },
    join() {
      const holder: Holder = { used: 0 };
      actors.add(holder);
      return {
        isFree(onFree) {
          if (mayBegin(holder)) return true;
          waiting.set(holder, onFree);
          return false;
        },
        take() {
          holder.used += 1;
          inUse += 1;
        },
        give() {
          holder.used -= 1;
          inUse -= 1;
          if (waiting.size > 0) wake();
        },
        leave() {
          actors.delete(holder);
          waiting.delete(holder);
          if (waiting.size > 0) wake();
        },
      };
    },
  };
}

let ofProcess: AttemptSlots | undefined;

/** Those of this process, whatever projects it runs. */
export function processSlots(): AttemptSlots {
  ofProcess ??= attemptSlots(ownDescriptorShares().attempts);
  return ofProcess;
}

/** Who waits for a place in a full queue, by route. */
interface WaitingPlaces {
  /** Resolves when it is worth while to ask again. */
  wait(route: string): Promise<void>;
  /** Wakes one a route: it wakes the next when it has its place. */
  wakeOne(): void;
  /** Wakes all: each is turned away. */
  wakeAll(): void;
}

export function waitingPlaces(): WaitingPlaces {
  const byRoute = new Map<string, Set<() => void>>();
  return {
    wait(route) {
      return new Promise((resolve) => {
        const waiting = byRoute.get(route) ?? new Set();
        byRoute.set(route, waiting);
        const wake = (): void => {
          waiting.delete(wake);
          if (waiting.size === 0) byRoute.delete(route);
          resolve();
        };
        waiting.add(wake);
      });
    },
    wakeOne() {
      for (const waiting of byRoute.values()) waiting.values().next().value?.();
    },
    wakeAll() {
      for (const waiting of byRoute.values()) for (const wake of waiting) wake();
    },
  };
}
