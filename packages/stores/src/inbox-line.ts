import { type InboxEntry, parseJson } from "@orgloop/sdk";
import { eventLast } from "./event-last.ts";

/** What a line of the file says. */
export type InboxLine =
  | { readonly put: Omit<InboxEntry, "event"> }
  | { readonly session: string; readonly removed: readonly string[] }
  | { readonly session: string; readonly notified: boolean };

const entryLine = eventLast<InboxEntry>("entry");
export const { encode: entryBody, decode: parseEntry } = entryLine;

/** What a body says, without the event of an entry. Throws where it is no line of inboxes. */
export function parseInboxLine(body: Buffer): InboxLine {
  const put = entryLine.head(body);
  if (put !== null) return { put };
  const line = JSON.parse(body.toString());
  const isChange = Array.isArray(line.removed) || typeof line.notified === "boolean";
  if (isChange && typeof line.session === "string") return line;
  throw new Error("a line of it is no inbox's");
}

/**
 * The body of a line as it was written before there were checksums: an entry by itself, or a change
 * of a session.
 */
export function upgradeInboxLine(text: string): string | null {
  let line: Partial<InboxEntry> & { session?: unknown; removed?: unknown; notified?: unknown };
  try {
    line = Object(parseJson(text));
  } catch {
    return null;
  }
  const { session, removed, notified } = line;
  if (typeof session === "string") {
    if (Array.isArray(removed)) return JSON.stringify({ session, removed });
    return typeof notified === "boolean" ? JSON.stringify({ session, notified }) : null;
  }
  const isEntry =
    typeof line.id === "string" &&
    typeof line.session_key === "string" &&
    !Number.isNaN(Date.parse(String(line.expires_at))) &&
    typeof line.event === "object";
  return isEntry ? entryBody(line as InboxEntry) : null;
}

/** What damaged bytes of the file held, for people. */
export function lostEntries(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  const waiting = text.matchAll(/"session_key":"([^"\\]+)"[^\n]*?"event":\{"id":"([^"\\]+)"/g);
  const changes = text.matchAll(/"session":"([^"\\]+)","(removed|notified)"/g);
  return [
    ...Array.from(waiting, ([, session, id]) => `${id} in the inbox of ${session}`),
    ...Array.from(changes, ([, session, what]) =>
      what === "removed" ? `that ${session} has fetched events` : `whether ${session} was reported`,
    ),
  ].join("; ");
}
