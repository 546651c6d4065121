import { hash } from "node:crypto";
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
  return `evt_${hash("sha256", `${source}\0${identity}`).slice(0, 32)}`;
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

/**
 * What is remembered of an event that its sender or platform has named: 16 bytes, so that a million
 * of them fit into memory. Two events whose keys are equal by chance differ in `body`: the second
 * is routed as one whose id was used again, and nothing is lost.
 */
export interface RepeatMark {
  /** 64 bits of a hash over source and event id. */
  readonly high: number;
  readonly low: number;
  /** 32 bits of the body's hash. */
  readonly body: number;
  /** When it was published, in seconds since the epoch. */
  readonly at: number;
}

/**
 * SHA-256, in lower-case hex, of what a sender sent: by it an id that is used again for another
 * body is told from a repeat.
 */
export function bodyHash(payload: Readonly<Record<string, unknown>>): string {
  return hash("sha256", JSON.stringify(payload));
}

/**
 * In the place of a {@link bodyHash}, of what is polled: the platform's id holds the version, and
 * what is read anew may differ in little things.
 */
export const ANY_BODY = "0".repeat(64);

/**
 * The id of an event whose own id its sender had used before for another body: the same two always
 * make the same.
 */
export function reusedId(id: string, body: string): string {
  return `evt_${hash("sha256", `${id}\0${body}`).slice(0, 32)}`;
}

/**
 * `salt` tells apart the lives of a source: what was remembered under another is forgotten. `body`:
 * {@link bodyHash}.
 */
export function repeatMark(salt: string, id: string, body: string, nowMs: number): RepeatMark {
  const key = hash("sha256", `${salt}\0${id}`);
  return {
    high: word(key, 0),
    low: word(key, 8),
    body: word(body, 0),
    at: Math.floor(nowMs / 1_000),
  };
}

/** 32 hex digits. */
export function formatMark({ high, low, body, at }: RepeatMark): string {
  return [high, low, body, at].map((part) => part.toString(16).padStart(8, "0")).join("");
}

/** Null where it is none. */
export function parseMark(text: string): RepeatMark | null {
  if (!/^[0-9a-f]{32}$/.test(text)) return null;
  return { high: word(text, 0), low: word(text, 8), body: word(text, 16), at: word(text, 24) };
}

const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16);
