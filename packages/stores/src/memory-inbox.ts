import type { InboxEntry, InboxStore } from "@orgloop/sdk";
import { InboxIndex } from "./inbox-index.ts";

/** Inboxes that end with the process. */
export function memoryInbox(): InboxStore {
  const index = new InboxIndex<InboxEntry>();
  return {
    put: async (entry) => index.put(entry, entry) === undefined,
    list: async (sessionKey, limit) => [...index.of(sessionKey).take(limit)],
    async remove(sessionKey, ids) {
      index.remove(sessionKey, ids);
    },
    async setNotified(sessionKey, notified) {
      index.setNotified(sessionKey, notified);
    },
    sessions: async () => index.sessions(),
    expired: async (nowMs, limit) => index.expired(nowMs, limit),
  };
}
