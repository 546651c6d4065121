import { createHash } from "node:crypto";
import type { EventDraft, OrgLoopEvent } from "@orgloop/sdk";

export interface CompleteEventOptions {
  /** The source's id. */
  readonly source: string;
  /** The project's name. */
  readonly module: string;
  readonly nowMs: number;
  /** 16 random hex digits a call. */
  readonly randomHex: () => string;
}

/**
 * The id of an occurrence: `evt_` and 32 hex digits of a hash over the source and the platform's
 * identity of it.
 */
export function eventId(source: string, identity: string): string {
  return `evt_${createHash("sha256").update(`${source}\0${identity}`).digest("hex").slice(0, 32)}`;
}

/**
 * A draft as an event: id, time, type and trace filled in where the source left them out (v1alpha1,
 * section 3).
 */
export function completeEvent(draft: EventDraft, options: CompleteEventOptions): OrgLoopEvent {
  const id =
    draft.id ??
    (draft.identity === undefined
      ? `evt_${options.randomHex()}`
      : eventId(options.source, draft.identity));
  return {
    id,
    timestamp: draft.timestamp ?? new Date(options.nowMs).toISOString(),
    source: options.source,
    type: draft.type ?? "resource.changed",
    provenance: draft.provenance,
    payload: draft.payload,
    trace_id: draft.trace_id ?? `trc_${options.randomHex()}`,
    ...(draft.ordering_key === undefined ? {} : { ordering_key: draft.ordering_key }),
    module: options.module,
  };
}
