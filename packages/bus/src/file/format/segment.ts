/**
 * What a file of the log's directory holds, by its name. Sequence numbers are padded to 16 digits.
 *
 *     FROM.jsonl            ordinary: every line from FROM on; the last one is written to
 *     FROM-THROUGH.jsonl    compacted: what of FROM..THROUGH was unsettled when it was written,
 *                           or what a repair could save
 *     FROM-THROUGH.settled  empty: everything in FROM..THROUGH was settled; the name is the record,
 *                           so that it needs no space on a full disk
 */
export interface SegmentName {
  readonly kind: "ordinary" | "compacted" | "settled";
  readonly name: string;
  readonly from: number;
  /** Null for an ordinary one: its last line says. */
  readonly through: number | null;
}

/** A segment that this process holds open or sealed, and how much of it is still wanted. */
export interface Segment {
  name: string;
  readonly from: number;
  through: number;
  /** Bytes. */
  size: number;
  /** Bytes of the lines that belong to unsettled events. */
  live: number;
}

/** Where a line stands that is still wanted. */
export interface Position {
  readonly seq: number;
  segment: Segment;
  offset: number;
  /** Bytes, with the newline. */
  readonly length: number;
}

const NAME = /^(\d{16})(?:-(\d{16}))?\.(jsonl|settled)$/;
const TEMPORARY = /^\d{16}[-\d.a-z]*\.tmp$/;
const KEPT = /^\d{16}(-\d{16})?\.jsonl\.(cut-|corrupt)/;

/** Null for what is no segment. */
export function parseSegmentName(name: string): SegmentName | null {
  const [, from, through, extension] = NAME.exec(name) ?? [];
  if (from === undefined || (extension === "settled" && through === undefined)) return null;
  return {
    kind: through === undefined ? "ordinary" : extension === "settled" ? "settled" : "compacted",
    name,
    from: Number(from),
    through: through === undefined ? null : Number(through),
  };
}

/** A compaction or a repair that was cut short. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** What was cut off or taken out of the log, and kept for a person to look at. */
export function isKept(name: string): boolean {
  return KEPT.test(name);
}

export const ordinaryName = (from: number) => `${pad(from)}.jsonl`;
export const compactedName = (from: number, through: number) =>
  `${pad(from)}-${pad(through)}.jsonl`;
export const settledName = (from: number, through: number) =>
  `${pad(from)}-${pad(through)}.settled`;

function pad(seq: number): string {
  return String(seq).padStart(16, "0");
}
