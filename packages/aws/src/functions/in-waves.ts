import { type Clock, callAt } from "@orgloop/engine";

/** How long what is ready waits for the rest, so that most batches are sent as one. */
const WAVE_MS = 200;

/**
 * What comes of `tasks`, which must not reject: what is ready together comes together, and nothing
 * waits for one that takes long.
 */
export async function* inWaves<Item>(
  tasks: readonly Promise<readonly Item[]>[],
  clock: Clock,
): AsyncGenerator<readonly Item[]> {
  let ready: (readonly Item[])[] = [];
  const all = Promise.all(
    tasks.map(async (task, at) => {
      const items = await task;
      ready[at] = items;
    }),
  ).then(() => true);
  for (let ended = false; !ended; ) {
    const wave = Promise.withResolvers<false>();
    const cancel = callAt(clock, clock.now() + WAVE_MS, () => wave.resolve(false));
    ended = await Promise.race([all, wave.promise]);
    cancel();
    // In the order of the tasks, whichever was first; some are not there yet.
    const items = ready.flat();
    ready = [];
    if (items.length > 0) yield items;
  }
}
