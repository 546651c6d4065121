import type { InboxEntry } from "@orgloop/sdk";

/**
 * When an entry of an inbox expires, on a clock that nobody sets: its `expires_at` is of the
 * machine's, and lies no further ahead than the entry may wait in all, however that was set
 * meanwhile.
 */
export function inboxDeadline(
  { queued_at, expires_at }: Pick<InboxEntry, "queued_at" | "expires_at">,
  { now, wall }: { readonly now: () => number; readonly wall: () => number },
): number {
  const endMs = Date.parse(expires_at);
  const longestMs = Math.max(0, endMs - Date.parse(queued_at));
  const nowMs = now();
  return nowMs + Math.min(longestMs, endMs - Math.min(wall(), nowMs));
}
