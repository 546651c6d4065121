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
