/** What runs beside the rest and is waited for at the end. */
interface InFlight {
  /** Hands `task` on; that it fails is not told of here. */
  track<Result>(task: Promise<Result>): Promise<Result>;
  /** Resolves when nothing is under way, what began meanwhile included. */
  ended(): Promise<void>;
}

export type Track = InFlight["track"];

export function inFlight(): InFlight {
  const running = new Set<Promise<unknown>>();
  return {
    track(task) {
      const ended: Promise<unknown> = task.then(
        () => running.delete(ended),
        () => running.delete(ended),
      );
      running.add(ended);
      return task;
    },
    async ended() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
