import type { LeftState } from "./crash-state.ts";
import { type Arrival, routesOf } from "./crash-world.ts";

/** What was recorded of a campaign so far. */
export interface CrashFacts {
  /** Accepted by an actor, or drained from an inbox, in order. */
  readonly arrivals: readonly Arrival[];
  /** In which run a webhook was sent for the first time. */
  readonly sentIn: ReadonlyMap<number, number>;
  /** Webhooks that were answered 200, with the ids of their events. */
  readonly answered: ReadonlyMap<number, string>;
  /** What each run found, and last what the last one left. */
  readonly left: readonly LeftState[];
}

/** What was acknowledged, and is now neither with its actor nor anywhere in the data directory. */
export function lostIn({ arrivals, answered, left }: CrashFacts): readonly string[] {
  const { checkpoint, unsettled, inbox, letters } = left.at(-1) as LeftState;
  const numbers = new Map([...answered].map(([n, id]) => [id, n]));
  const found = new Set([...unsettled, ...inbox]);
  for (const { route, key } of arrivals) found.add(`${route} ${key}`);
  for (const { route, event_id } of letters) {
    const n = numbers.get(event_id);
    if (n === undefined) continue;
    for (const name of route === null ? routesOf(n) : [route]) found.add(`${name} hook/${n}`);
  }
  const promised = [...answered.keys()].flatMap((n) =>
    routesOf(n).map((route) => `${route} hook/${n}`),
  );
  for (let n = 1; n <= checkpoint; n += 1) promised.push(`plain feed/${n}`);
  return promised.filter((one) => !found.has(one)).map((one) => `lost: ${one}`);
}

export interface Repeats {
  readonly faults: readonly string[];
  /** Came again, and was in flight when a process died: by why it could. */
  readonly unsettled: number;
  readonly drainedAnew: number;
  /**
   * Of an inbox, twice within a run: its entry had been written, and the log did not call its
   * delivery settled, so that it was drained, put again and drained again.
   */
  readonly twiceInARun: number;
}

/**
 * A run may bring a delivery once where it was sent in that run, or was unsettled before it, or is
 * behind the feed's checkpoint of before; and an inbox entry once more where it lay there before.
 * What comes oftener is a fault.
 */
export function repeatsIn({ arrivals, sentIn, left }: CrashFacts): Repeats {
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  const faults: string[] = [];
  const reasons = { unsettled: 0, drainedAnew: 0, twiceInARun: 0 };
  for (const { route, key, run } of arrivals) {
    const one = `${route} ${key}`;
    const inRun = (counts.get(`${run} ${one}`) ?? 0) + 1;
    counts.set(`${run} ${one}`, inRun);
    const { checkpoint, unsettled, inbox } = left[run] as LeftState;
    const [source, text] = key.split("/");
    const n = Number(text);
    const isNew = source === "feed" ? n > checkpoint : sentIn.get(n) === run;
    const isWaiting = route === "inbox" && inbox.has(one);
    const most = (isNew || unsettled.has(one) ? 1 : 0) + (isWaiting ? 1 : 0);
    if (inRun > most) {
      const why = `new ${isNew}, unsettled ${unsettled.has(one)}, in an inbox ${isWaiting}`;
      faults.push(`repeated: ${one} came ${inRun} times in run ${run}, at most ${most} (${why})`);
    } else if (inRun > 1) reasons.twiceInARun += 1;
    else if (seen.has(one)) reasons[isWaiting ? "drainedAnew" : "unsettled"] += 1;
    seen.add(one);
  }
  return { faults, ...reasons };
}

/**
 * First arrivals of the ordered route, by its key; polled events have none and follow their source.
 */
export function disorderIn(arrivals: CrashFacts["arrivals"]): readonly string[] {
  const seen = new Set<string>();
  const highest = new Map<string, number>();
  return arrivals.flatMap(({ route, key, orderingKey }) => {
    if (route !== "plain" || seen.has(key)) return [];
    seen.add(key);
    const [source, n] = key.split("/");
    const lane = `${source} ${String(orderingKey)}`;
    const before = highest.get(lane) ?? 0;
    highest.set(lane, Math.max(before, Number(n)));
    return Number(n) < before ? [`out of order: ${key} after ${source}/${before}`] : [];
  });
}
