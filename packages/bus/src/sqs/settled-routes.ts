import { hasCode } from "@orgloop/sdk";
import type { ObjectStore } from "./object-store.ts";

/**
 * Which routes of an unacked event are settled: a message of SQS cannot be changed, so it stands elsewhere. By the event's
 * deduplication id, since a replay has settled nothing.
 */
export interface SettledRoutes {
  load(dedupId: string): Promise<ReadonlySet<string>>;
  /** Resolves when it is durable. */
  save(dedupId: string, routes: ReadonlySet<string>): Promise<void>;
}

/** An object an event, beside the claim checks, whose lifecycle removes it too. Only who holds the event's message writes it. */
export function settledInObjects(objects: ObjectStore): SettledRoutes {
  const key = (dedupId: string) => `claims/settled/${encodeURIComponent(dedupId)}.json`;
  return {
    async load(dedupId) {
      try {
        return new Set<string>(JSON.parse(await objects.get(key(dedupId))));
      } catch (error) {
        if (hasCode(error, "OBJECT_MISSING")) return new Set();
        throw error;
      }
    },
    save: (dedupId, routes) => objects.put(key(dedupId), JSON.stringify([...routes])),
  };
}
