import type { ClaimStore } from "@orgloop/sdk";
import { ClaimTable } from "./claim-table.ts";

/** Claims that end with the process. */
export function memoryClaims(): ClaimStore {
  const table = new ClaimTable();
  return {
    claim: async (key, eventId, windowMs, nowMs) => table.claim(key, eventId, windowMs, nowMs).held,
  };
}
