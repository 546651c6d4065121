import type { LineKind } from "../format/line.ts";

/** What damaged bytes still tell of a line that stood there. */
export interface Fragment {
  readonly seq: number | null;
  readonly kind: LineKind | null;
  /** Of an ack or settle: the number of its event. */
  readonly ref: number | null;
  /** Of an event. */
  readonly eventId: string | null;
  /** Of an ack: it has a note (`EventBus.ack`). */
  readonly noted: boolean;
}

/** A kind counts only where a line says it, behind its numbers: payloads hold any words. */
const START =
  /"seq":(\d{1,16}),"batch":\d{1,16},"(event|settle|ack|open|close|compacted)":(\d{0,16})/g;
/** An event whose line has lost its start. Its id comes first. */
const EVENT = /"event":\{"id":("(?:[^"\\]|\\.)*")/;
const ID = /^\{(?:"[a-z_]+":"[^"\\]*",)*"id":("(?:[^"\\]|\\.)*")/;
/** As long as an id and what may stand before it. */
const ID_BYTES = 4_096;
/** What is looked through of damaged bytes. */
const MAX_BYTES = 64 * 1024 ** 2;

/** The lines that damaged bytes are known to have held, in their order. */
export function readFragments(bytes: Buffer): Fragment[] {
  const text = bytes.toString("latin1", 0, MAX_BYTES);
  const found: Fragment[] = [];
  let first = text.length;
  for (const match of text.matchAll(START)) {
    first = Math.min(first, match.index);
    const kind = match[2] as LineKind;
    const rest = text.slice(match.index + match[0].length, match.index + ID_BYTES);
    found.push({
      seq: Number(match[1]),
      kind,
      ref: (kind === "ack" || kind === "settle") && match[3] !== "" ? Number(match[3]) : null,
      eventId: kind === "event" ? idOf(ID.exec(rest)?.[1]) : null,
      noted: kind === "ack" && rest.startsWith(","),
    });
  }
  const headless = EVENT.exec(text.slice(0, first));
  if (headless !== null) {
    const eventId = idOf(headless[1]);
    found.unshift({ seq: null, kind: "event", ref: null, eventId, noted: false });
  }
  return found;
}

/** `quoted`: JSON text, its bytes as latin1. */
function idOf(quoted: string | undefined): string | null {
  if (quoted === undefined) return null;
  try {
    return JSON.parse(Buffer.from(quoted, "latin1").toString("utf8")) as string;
  } catch {
    return null;
  }
}
