import { changeInbox, expiredInboxLetter } from "@orgloop/engine";
import { messageOf } from "@orgloop/sdk";
import { type DeadLetterWriterOptions, writeLetter } from "../delivery/write-dead-letter.ts";
import type { InboxHost } from "./inbox-host.ts";
import { sendNotice } from "./send-notice.ts";

export interface ExpiryHost extends InboxHost, DeadLetterWriterOptions {}

/** Of one look. */
const AT_ONCE = 100;
/** Longer than so many letters take; who ends meanwhile holds the session so long. */
const LEASE_MS = 60_000;
/** What so many letters may take. */
const MARGIN_MS = 20_000;

/**
 * Makes dead letters, `expired`, of what nobody has fetched in time, and sends notifications that
 * whoever asked for them did not. What fails is said, and tried again with the next call.
 */
export async function expireInboxes(host: ExpiryHost, remainingMs: () => number): Promise<void> {
  const { inboxes, clock, flow } = host;
  for (const { session_key: session, expired, noticeId } of await inboxes.due(clock.now())) {
    if (remainingMs() < MARGIN_MS) return;
    try {
      if (expired) await expireSession(session, host);
      if (noticeId !== null) await sendNotice(session, noticeId, host);
    } catch (error) {
      flow.log({ phase: "system.error", error: `inbox of ${session}: ${messageOf(error)}` });
    }
  }
}

/** Nothing where somebody drains it just now. */
async function expireSession(session: string, host: ExpiryHost): Promise<void> {
  const { inboxes } = host;
  const lease = await inboxes.lease(session, LEASE_MS);
  if (lease === null) return;
  try {
    await writeExpiredLetters(session, host);
  } finally {
    await inboxes.release(session, lease);
  }
}

/** The letter first: where the function ends in between, it is written once more, the same. */
async function writeExpiredLetters(session: string, host: ExpiryHost): Promise<void> {
  const { inboxes, clock } = host;
  for (;;) {
    const entries = await inboxes.expiredOf(session, clock.now(), AT_ONCE);
    if (entries.length === 0) return;
    for (const entry of entries) await writeLetter(expiredInboxLetter(entry, clock.now()), host);
    const ids = entries.map(({ id }) => id);
    await inboxes.take(session, ids, (before, count) =>
      changeInbox(before, { kind: "expired", count }),
    );
  }
}
