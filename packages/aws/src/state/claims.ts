import type { ClaimStore } from "@orgloop/sdk";
import { claimItem } from "./claim-item.ts";
import type { StateTable } from "./state-table.ts";

/** Dedup claims that all functions of a stage share. */
export function dynamoClaims(state: StateTable): ClaimStore {
  return {
    async claim(key, eventId, windowMs, nowMs) {
      const first = await claimItem(state, { key, holder: eventId, windowMs, nowMs });
      return first === null || first.event_id === eventId;
    },
  };
}
