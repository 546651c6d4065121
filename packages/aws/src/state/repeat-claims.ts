import { claimItem } from "./claim-item.ts";
import type { Item, StateTable } from "./state-table.ts";

/** A publication that wants to be the first of its event. */
export interface RepeatClaim {
  readonly eventId: string;
  readonly publication: string;
  /** Absent: not known, as of messages of before there were publications. */
  readonly body?: string;
  readonly windowMs: number;
  readonly nowMs: number;
}

/** Who published an event first, and what was sent: claims that all routers of a stage share. */
export interface RepeatClaims {
  /**
   * Null: it is the first, or it was before. Otherwise the first one's body; undefined where that
   * is not known.
   */
  claim(claim: RepeatClaim): Promise<null | { readonly body: string | undefined }>;
}

export function dynamoRepeatClaims(state: StateTable): RepeatClaims {
  return {
    async claim({ eventId, publication, ...claim }) {
      // The key of `dynamoClaims`, under which the release before kept these.
      const key = `event ${eventId}`;
      return judge(publication, await claimItem(state, { ...claim, key, holder: publication }));
    },
  };
}

function judge(publication: string, holder: Item | null) {
  if (holder === null || holder.event_id === publication) return null;
  return { body: typeof holder.body === "string" ? holder.body : undefined };
}
