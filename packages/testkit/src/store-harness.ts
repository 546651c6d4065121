/** How a suite opens a kind of store. */
export interface StoreHarness<Store> {
  /** What the suite's tests are listed under. */
  readonly name: string;
  /** A fresh, empty store. */
  readonly open: () => Promise<Store>;
  /**
   * The storage of `store` opened anew, as after the death of the process: `store` was not closed
   * and is used no more. Absent where the store is not durable: its laws of survival are then not
   * demanded.
   */
  readonly reopen?: (store: Store) => Promise<Store>;
}

interface Closable {
  close?(): Promise<void>;
}

/** A harness whose stores are all closed by `closeAll`. */
export function tracked<Store extends object>(harness: StoreHarness<Store>) {
  const opened: Store[] = [];
  const track = (store: Store) => {
    opened.push(store);
    return store;
  };
  return {
    open: async () => track(await harness.open()),
    reopen: async (store: Store) => {
      if (harness.reopen === undefined) throw new Error(`${harness.name} is not durable`);
      return track(await harness.reopen(store));
    },
    closeAll: async () => {
      for (const store of opened.splice(0)) await (store as Closable).close?.();
    },
  };
}
