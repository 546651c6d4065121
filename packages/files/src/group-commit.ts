/**
 * Gathers what is asked for while a commit runs into the next one. `inTurn` runs commits one after
 * the other; `commit` gets the items in the order of the calls, and every call of a group resolves,
 * or rejects, with it.
 */
export function groupCommit<Item>(
  inTurn: (task: () => Promise<void>) => Promise<void>,
  commit: (items: readonly Item[]) => Promise<void>,
): (item: Item) => Promise<void> {
  let group: { readonly items: Item[]; readonly committed: Promise<void> } | undefined;
  return (item) => {
    if (group === undefined) {
      const items: Item[] = [];
      const committed = inTurn(() => {
        group = undefined;
        return commit(items);
      });
      group = { items, committed };
    }
    group.items.push(item);
    return group.committed;
  };
}

/** Between two writes of what nobody waits for. */
const PACE_MS = 10;

/**
 * Makes a function that has `write` called soon: at once where the last call was a while ago, else
 * {@link PACE_MS} after it, so that what comes thick and fast is written together.
 */
export function paced(write: () => void): () => void {
  let scheduled = false;
  let calledAt = Number.NEGATIVE_INFINITY;
  function call(): void {
    scheduled = false;
    calledAt = performance.now();
    write();
  }
  return () => {
    if (scheduled) return;
    scheduled = true;
    const waitMs = calledAt + PACE_MS - performance.now();
    if (waitMs <= 0) setImmediate(call);
    else setTimeout(call, waitMs);
  };
}

/**
 * Gathers what is added and hands it to `commit`, which must not reject, many at a time and
 * {@link PACE_MS} apart.
 */
export function pacedGroup<Item>(commit: (items: readonly Item[]) => Promise<void>): {
  add(item: Item): void;
  /** Resolves when all that was added so far is committed. */
  written(): Promise<void>;
  /** Commits what was added and waits. */
  flush(): Promise<void>;
} {
  let waiting: Item[] = [];
  let committed = Promise.withResolvers<void>();
  committed.resolve();

  function flush(): Promise<void> {
    const { promise, resolve } = committed;
    if (waiting.length > 0) void commit(waiting).then(resolve);
    waiting = [];
    return promise;
  }
  const commitSoon = paced(flush);

  return {
    add(item) {
      if (waiting.length === 0) committed = Promise.withResolvers();
      waiting.push(item);
      commitSoon();
    },
    written: () => committed.promise,
    flush,
  };
}
