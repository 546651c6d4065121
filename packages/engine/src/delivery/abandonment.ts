/**
 * When a drain gives up on what is in flight. One listener serves every attempt: Node looks through
 * all of a signal's at each change.
 */
export interface Abandonment {
  /** Calls back once, at once where it is over already; the result forgets. */
  onAbandon(callback: () => void): () => void;
  readonly aborted: boolean;
}

export function abandonment(signal: AbortSignal): Abandonment {
  const callbacks = new Set<() => void>();
  signal.addEventListener(
    "abort",
    () => {
      for (const callback of callbacks) callback();
      callbacks.clear();
    },
    { once: true },
  );
  return {
    get aborted() {
      return signal.aborted;
    },
    onAbandon(callback) {
      if (signal.aborted) {
        callback();
        return () => {};
      }
      const own = () => callback();
      callbacks.add(own);
      return () => callbacks.delete(own);
    },
  };
}
