import { randomUUID } from "node:crypto";
import { updateItem } from "../write-item.ts";
import type { InboxTable } from "./change-inbox.ts";
import { sessionKey } from "./inbox-session-item.ts";

/** Takes a session for `ms`; null where somebody else has it, or there is none. */
export async function takeLease(
  table: InboxTable,
  session: string,
  ms: number,
): Promise<string | null> {
  const { now } = table;
  const lease = randomUUID();
  const { done } = await updateItem(table, sessionKey(session), {
    set: { lease, lease_until_ms: now() + ms },
    condition:
      "attribute_exists(#version) AND (attribute_not_exists(#lease_until_ms) OR #lease_until_ms <= :now)",
    names: ["version"],
    values: { now: now() },
  });
  return done ? lease : null;
}

/** Gives it back, where it still is ours. */
export async function releaseLease(
  table: InboxTable,
  session: string,
  lease: string,
): Promise<void> {
  await updateItem(table, sessionKey(session), {
    remove: ["lease", "lease_until_ms"],
    condition: "#lease = :mine",
    values: { mine: lease },
  });
}

/** Somebody has sent the notification of that id. */
export async function noticeSent(
  table: InboxTable,
  session: string,
  noticeId: string,
): Promise<void> {
  await updateItem(table, sessionKey(session), {
    set: { unsent_ms: null },
    condition: "#notice_id = :mine",
    names: ["notice_id"],
    values: { mine: noticeId },
  });
}
