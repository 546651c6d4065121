import { type StateTable, singleKey, ttlSeconds } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

export interface ReplayNumbersOptions extends StateTable {
  readonly now?: () => number;
}

/** Longer than an event is kept in the history by any sensible `event_retention`. */
const NUMBER_RETENTION_MS = 400 * 86_400_000;

/**
 * Numbers the replays of an event, from 1, also where two are asked for at once: no two deliveries
 * of it are taken for one.
 */
export function dynamoReplayNumbers(options: ReplayNumbersOptions): {
  next(eventId: string): Promise<number>;
} {
  const { now = Date.now } = options;
  return {
    async next(eventId) {
      const { item } = await updateItem(options, singleKey("replays", eventId), {
        add: { replay: 1 },
        set: { ttl: ttlSeconds(now() + NUMBER_RETENTION_MS) },
      });
      return Number(item?.replay);
    },
  };
}
