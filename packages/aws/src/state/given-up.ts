import { setTimeout as sleep } from "node:timers/promises";
import type { GivenUp, GivenUpLately } from "../queue/queue-bound.ts";
import { getItem, type StateTable, singleKey, ttlSeconds } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

export interface DynamoGivenUpOptions extends StateTable {
  readonly now?: () => number;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Whoever loses as often gives up nothing: the next batch does. */
const MAX_TRIES = 20;
const MAX_DELAY_MS = 100;
/** Longer than what was given up is of interest. */
const GIVEN_UP_RETENTION_MS = 3_600_000;

/** One item a queue that is over its bound. */
export function dynamoGivenUp(options: DynamoGivenUpOptions): GivenUpLately {
  const { now = Date.now, random = Math.random } = options;
  return {
    async update(queueUrl, change) {
      const key = singleKey("bound", queueUrl.slice(queueUrl.lastIndexOf("/") + 1));
      let { given_up: was } = (await getItem(options, key)) ?? {};
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const before = typeof was === "string" ? (JSON.parse(was) as readonly GivenUp[]) : [];
        const after = change(before);
        if (after === before) return true;
        const written = await updateItem(options, key, {
          set: { given_up: JSON.stringify(after), ttl: ttlSeconds(now() + GIVEN_UP_RETENTION_MS) },
          condition: was === undefined ? "attribute_not_exists(#given_up)" : "#given_up = :was",
          values: was === undefined ? {} : { was },
        });
        if (written.done) return true;
        await sleep(MAX_DELAY_MS * random());
        ({ given_up: was } = written.item ?? (await getItem(options, key)) ?? {});
      }
      return false;
    },
  };
}
