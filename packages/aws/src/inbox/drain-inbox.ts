import { changeInbox, type DrainAnswer, drainAnswer, drainSize, waitUntil } from "@orgloop/engine";
import { OrgLoopError } from "@orgloop/sdk";
import type { InboxHost } from "./inbox-host.ts";
import { sendNotice } from "./send-notice.ts";

/**
 * What a drain found. Nothing is removed yet: `done` does that when it is where it should be,
 * `keep` leaves it.
 */
export interface InboxDrain extends DrainAnswer {
  done(): Promise<void>;
  keep(): Promise<void>;
}

/** So long nobody else gets what a drain has found and neither removed nor left. */
const LEASE_MS = 60_000;
const ASK_MS = 250;

/**
 * What waits for a session, without what has expired: that is the sweep's. One drain of a session
 * after the other.
 */
export async function drainInbox(
  session: string,
  limit: number | undefined,
  host: InboxHost,
): Promise<InboxDrain> {
  const { inboxes, clock } = host;
  const lease = await leased(session, host);
  if (lease === null) return { ...drainAnswer([], 0), async done() {}, async keep() {} };
  const keep = (): Promise<void> => inboxes.release(session, lease);
  try {
    const [oldest] = await inboxes.list(session, 1);
    const most = drainSize(limit, oldest);
    const { entries, pending } = await inboxes.waiting(session, clock.now(), most);
    const ids = entries.map(({ id }) => id);
    return {
      ...drainAnswer(entries, pending),
      async done() {
        if (ids.length === 0) return keep();
        const { noticeId } = await inboxes.take(session, ids, (before, count) =>
          changeInbox(before, { kind: "drained", count }),
        );
        await keep();
        // What is left unsent, the sweep sends: the drain is over all the same.
        if (noticeId !== null) await sendNotice(session, noticeId, host).catch(() => undefined);
      },
      keep,
    };
  } catch (error) {
    await keep();
    throw error;
  }
}

/** Null where nothing waits. */
async function leased(session: string, { inboxes, clock }: InboxHost): Promise<string | null> {
  const untilMs = clock.now() + LEASE_MS;
  do {
    const lease = await inboxes.lease(session, LEASE_MS);
    if (lease !== null) return lease;
    if ((await inboxes.state(session)).pending === 0) return null;
    await waitUntil(clock, clock.now() + ASK_MS, new AbortController().signal);
  } while (clock.now() <= untilMs);
  throw new OrgLoopError(
    "INBOX_BUSY",
    `the inbox of ${session} is being drained by others: try again later`,
  );
}
