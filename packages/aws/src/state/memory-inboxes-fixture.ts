import type { InboxState } from "@orgloop/sdk";
import { memoryInbox } from "@orgloop/stores";
import type { DecideInbox, InboxChanged, KeptEntry, SharedInboxes } from "./index.ts";

interface Session {
  state: InboxState;
  noticeId: string | null;
  unsentMs: number | null;
}

/** As long as the state table's. */
const UNSENT_MS = 60_000;

/** Inboxes that functions share, in memory. */
export function memoryInboxes(now: () => number): SharedInboxes {
  const store = memoryInbox();
  const sessions = new Map<string, Session>();
  const origins = new Map<string, string | null>();
  const leases = new Map<string, { readonly lease: string; readonly untilMs: number }>();
  let notices = 0;
  const sessionOf = (key: string): Session =>
    sessions.get(key) ?? { state: { pending: 0, notice: "none" }, noticeId: null, unsentMs: null };

  function decided(
    key: string,
    before: Session,
    count: number,
    { state, notify }: ReturnType<DecideInbox>,
  ): InboxChanged {
    const isInFlight = state.notice === "sending" || state.notice === "stale";
    notices += notify ? 1 : 0;
    const notice = notify
      ? { noticeId: `notice-${notices}`, unsentMs: now() }
      : { noticeId: null, unsentMs: null };
    const after = notify || !isInFlight ? { state, ...notice } : { ...before, state };
    if (state.pending === 0 && !isInFlight) sessions.delete(key);
    else sessions.set(key, after);
    return { count, state, noticeId: after.unsentMs === null ? null : after.noticeId };
  }

  return {
    ...store,
    async add({ entry, origin }: KeptEntry, decide) {
      const { session_key: key, id } = entry;
      const before = sessionOf(key);
      if (!(await store.put(entry))) {
        const { state, noticeId, unsentMs } = before;
        return { count: 0, state, noticeId: unsentMs === null ? null : noticeId };
      }
      origins.set(id, origin);
      return decided(key, before, 1, decide(before.state, 1));
    },
    async take(key, ids, decide) {
      const there = new Set((await store.list(key, 1e6)).map(({ id }) => id));
      const count = ids.filter((id) => there.has(id)).length;
      await store.remove(key, ids);
      const before = sessionOf(key);
      return decided(key, before, count, decide(before.state, count));
    },
    async change(key, decide) {
      const before = sessionOf(key);
      if (!sessions.has(key)) return { count: 0, state: before.state, noticeId: null };
      return decided(key, before, 0, decide(before.state, 0));
    },
    state: async (key) => sessionOf(key).state,
    async oldest(key) {
      const [entry] = await store.list(key, 1);
      return entry === undefined ? null : { entry, origin: origins.get(entry.id) ?? null };
    },
    async noticeSent(key, noticeId) {
      const session = sessions.get(key);
      if (session?.noticeId === noticeId) session.unsentMs = null;
    },
    async lease(key, ms) {
      if (!sessions.has(key) || (leases.get(key)?.untilMs ?? 0) > now()) return null;
      const lease = crypto.randomUUID();
      leases.set(key, { lease, untilMs: now() + ms });
      return lease;
    },
    async release(key, lease) {
      if (leases.get(key)?.lease === lease) leases.delete(key);
    },
    async waiting(key, nowMs, limit) {
      const all = await store.list(key, 1e6);
      const entries = all.filter(({ expires_at }) => Date.parse(expires_at) > nowMs);
      return { entries: entries.slice(0, limit), pending: entries.length };
    },
    async due(nowMs) {
      const expired = new Set((await store.expired(nowMs, 1e6)).map((one) => one.session_key));
      return Array.from(sessions, ([session_key, { noticeId, unsentMs }]) => ({
        session_key,
        expired: expired.has(session_key),
        noticeId: unsentMs !== null && unsentMs <= nowMs - UNSENT_MS ? noticeId : null,
      })).filter((one) => one.expired || one.noticeId !== null);
    },
    async expiredOf(key, nowMs, limit) {
      const all = await store.expired(nowMs, 1e6);
      return all.filter(({ session_key }) => session_key === key).slice(0, limit);
    },
  };
}
