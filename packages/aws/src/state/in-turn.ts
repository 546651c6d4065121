/**
 * Runs what is given under the same key one after the other, in the order of the calls; a failure
 * holds nobody up.
 */
export function inTurn(): <Value>(key: string, task: () => Promise<Value>) => Promise<Value> {
  const last = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const running = (last.get(key) ?? Promise.resolve()).then(task);
    const ended = running.catch(() => undefined);
    last.set(key, ended);
    return running.finally(() => {
      if (last.get(key) === ended) last.delete(key);
    });
  };
}
