/** Who waits for a place in a full queue, by route. */
export interface WaitingPlaces {
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
