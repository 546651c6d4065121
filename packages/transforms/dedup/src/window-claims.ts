import type { ClaimStore } from "@orgloop/sdk";

/**
 * Claims in memory, all with the same window: the oldest expire first, so that what has expired is
 * at the front.
 */
export function windowClaims(): ClaimStore {
  const claims = new Map<string, { readonly eventId: string; readonly expiresMs: number }>();
  return {
    async claim(key, eventId, windowMs, nowMs) {
      for (const [oldest, { expiresMs }] of claims) {
        if (expiresMs > nowMs) break;
        claims.delete(oldest);
      }
      const holder = claims.get(key);
      if (holder === undefined) claims.set(key, { eventId, expiresMs: nowMs + windowMs });
      return holder === undefined || holder.eventId === eventId;
    },
  };
}
