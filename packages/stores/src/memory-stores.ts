import {
  type CheckpointStore,
  type ClaimStore,
  type DeadLetter,
  type DeadLetterStore,
  type InboxEntry,
  type InboxStore,
  type RouteState,
  type RouteStateStore,
  summaryOf,
} from "@orgloop/sdk";
import { ClaimTable } from "./file-claims.ts";
import { InboxIndex } from "./inbox-index.ts";

/** Checkpoints that end with the process. */
export function memoryCheckpoints(): CheckpointStore {
  const checkpoints = new Map<string, string>();
  return {
    get: async (sourceId) => checkpoints.get(sourceId) ?? null,
    async set(sourceId, checkpoint) {
      checkpoints.set(sourceId, checkpoint);
    },
    async delete(sourceId) {
      checkpoints.delete(sourceId);
    },
  };
}

/** Claims that end with the process. */
export function memoryClaims(): ClaimStore {
  const table = new ClaimTable();
  return {
    claim: async (key, eventId, windowMs, nowMs) => table.claim(key, eventId, windowMs, nowMs).held,
  };
}

/** Dead letters that end with the process. */
export function memoryDeadLetters(): DeadLetterStore {
  const letters = new Map<string, { readonly letter: DeadLetter; readonly position: number }>();
  let last = 0;
  return {
    async put(letter) {
      const position = letters.get(letter.id)?.position ?? ++last;
      letters.set(letter.id, { letter, position });
    },
    async *list(after = 0) {
      for (const { letter, position } of letters.values()) {
        if (position > after) yield { ...summaryOf(letter), position };
      }
    },
    get: async (id) => letters.get(id)?.letter ?? null,
    get size() {
      return letters.size;
    },
    async remove(ids) {
      for (const id of ids) letters.delete(id);
    },
  };
}

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

/** Route states that end with the process. */
export function memoryRouteStates(): RouteStateStore {
  const states = new Map<string, RouteState>();
  return {
    load: async () => new Map(states),
    async save(route, state) {
      if (state === null) states.delete(route);
      else states.set(route, state);
    },
  };
}
