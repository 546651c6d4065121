import { checksumFits } from "@orgloop/files";
import { type LineHead, readHead } from "../format/line.ts";

/**
 * The smallest unit that a disk writes as a whole: what a power cut leaves of a write is some of
 * these.
 */
const SECTOR_BYTES = 512;

/** The end of a log from its first bad line on. */
export interface Tail {
  readonly bytes: Buffer;
  /** Of the first of them in the file. */
  readonly offset: number;
  /** Number of the last good line before. */
  readonly through: number;
  /** Its batch. */
  readonly batch: number;
}

/**
 * Why the end of a log is not what a crash leaves of the one batch whose sync had not returned;
 * null where it is. A crash leaves out sectors, or what was written to them last, where zeros stand
 * then, and cuts the end: whatever lies between is as it was written. So a bad line with nothing
 * missing in it was damaged later, and so was everything before a line of a later batch, which is
 * written only when the sync has returned.
 */
export function notTorn({ bytes, offset, through, batch }: Tail): string | null {
  const order: Order = { seq: through, batch, through };
  let start = 0;
  let afterHole = false;
  for (const hole of holes(bytes, offset)) {
    if (hole.start > start) {
      const last = hole.start === bytes.length;
      const reason = wrongRun(bytes.subarray(start, hole.start), afterHole, last, order);
      if (reason !== null) return reason;
    }
    start = hole.end;
    afterHole = true;
  }
  return null;
}

interface Order {
  seq: number;
  batch: number;
  readonly through: number;
}

/**
 * The zeros at the end of each sector, and at last an empty hole at the end of `bytes`. No line
 * holds a zero.
 */
function* holes(bytes: Buffer, offset: number): Generator<{ start: number; end: number }> {
  let end = SECTOR_BYTES - (offset % SECTOR_BYTES);
  for (let begin = 0; begin < bytes.length; begin = end, end += SECTOR_BYTES) {
    end = Math.min(end, bytes.length);
    let start = end;
    while (start > begin && bytes[start - 1] === 0) start -= 1;
    if (start < end) yield { start, end };
  }
  yield { start: bytes.length, end: bytes.length };
}

/**
 * `run`: bytes between holes. Only its first line may lack its start, and only its last one its
 * end.
 */
function wrongRun(run: Buffer, afterHole: boolean, last: boolean, order: Order): string | null {
  let start = 0;
  let end = run.indexOf(0x0a);
  if (afterHole) {
    if (holdsLater(run.subarray(0, end < 0 ? run.length : end + 1), order)) return LATER;
    start = end < 0 ? run.length : end + 1;
    end = run.indexOf(0x0a, start);
  }
  for (; end >= 0; start = end + 1, end = run.indexOf(0x0a, start)) {
    const reason = wrongLine(run, start, end, order);
    if (reason !== null) return reason;
  }
  return start < run.length && last ? wrongEnd(run.subarray(start), afterHole, order) : null;
}

const LATER = "a later batch, written when this one was on the disk, stands behind it";

function wrongLine(run: Buffer, start: number, end: number, order: Order): string | null {
  if (!readHead(run, start, end, head)) {
    return "it has not the form of a line, although nothing of it is missing";
  }
  if (!checksumFits(run, start, end)) {
    return "its checksum does not fit, although nothing of it is missing";
  }
  if (head.batch > order.through + 1) return LATER;
  if (head.seq <= order.seq || (head.batch !== order.batch && head.batch !== order.through + 1)) {
    return `number ${head.seq} of batch ${head.batch} may not stand here`;
  }
  order.seq = head.seq;
  order.batch = head.batch;
  return null;
}

const head: LineHead = { kind: "open", seq: 0, batch: 0, ref: 0, noted: false };

/** True where a line whose start is missing ends in a whole one of a later batch. */
function holdsLater(bytes: Buffer, { through }: Order): boolean {
  const end = bytes.length - 1;
  for (let at = bytes.indexOf(LINE_START); at >= 0; at = bytes.indexOf(LINE_START, at + 1)) {
    if (!readHead(bytes, at, end, head) || head.batch <= through + 1) continue;
    if (checksumFits(bytes, at, end)) return true;
  }
  return false;
}

const LINE_START = '{"crc":"';

/** What is wrong with the start of a line that the file ends with. */
function wrongEnd(line: Buffer, afterHole: boolean, order: Order): string | null {
  const text = line.toString("latin1", 0, LONGEST_START);
  if (!mayBegin(text)) return "it has not the form of a line";
  const numbers = /^\{"crc":"[0-9a-f]{8}","seq":(\d+),"batch":(\d+),/.exec(text);
  if (numbers === null) return null;
  const [seq, batch] = [Number(numbers[1]), Number(numbers[2])];
  if (batch > order.through + 1) return LATER;
  if (afterHole ? seq <= order.seq : seq !== order.seq + 1) {
    return `it is number ${seq}, expected ${order.seq + 1}`;
  }
  const before = line.length - 1;
  const whole = readHead(line, 0, before, head) && checksumFits(line, 0, before);
  return whole ? "the newline at its end is another character" : null;
}

/** What a line begins with. */
const PARTS = [
  '{"crc":"',
  /^[0-9a-f]*/,
  '","seq":',
  /^\d*/,
  ',"batch":',
  /^\d*/,
  ',"',
  /^[a-z]*/,
  '":',
];
/** With the largest numbers and the longest word. */
const LONGEST_START = 80;

function mayBegin(text: string): boolean {
  let rest = text;
  for (const part of PARTS) {
    if (rest === "") return true;
    if (typeof part === "string") {
      if (rest.slice(0, part.length) !== part.slice(0, rest.length)) return false;
      rest = rest.slice(part.length);
    } else rest = rest.replace(part, "");
  }
  return true;
}
