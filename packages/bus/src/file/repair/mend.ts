import { crc32c } from "@node-rs/crc32";
import { CHECKED_FROM, checksumFits, sealLine } from "@orgloop/files";
import { type LineHead, readHead } from "../format/line.ts";

/**
 * Longer lines are not tried: that another change looks like one bit grows likelier with the
 * length.
 */
const LONGEST = 256 * 1024;

/**
 * Lines that differ from `bad`, consecutive bad lines of a log, in one bit each; those of them that
 * can be found. CRC32C tells one flipped bit from another, so which one it was is known, not
 * guessed.
 */
export function mend(bad: Buffer): Buffer[] {
  const whole = mendLine(withoutNewline(bad));
  if (whole !== null) return [whole];
  const mended: Buffer[] = [];
  for (const line of separate(bad)) {
    const good = mendLine(line);
    if (good !== null) mended.push(good);
  }
  return mended;
}

function withoutNewline(line: Buffer): Buffer {
  return line[line.length - 1] === 0x0a ? line.subarray(0, -1) : line;
}

const LINE_START = Buffer.from('{"crc":"');

/** Splits at newlines, and where a line begins behind what may have been one. */
function* separate(bad: Buffer): Generator<Buffer> {
  let start = 0;
  for (let at = 1; at <= bad.length; at += 1) {
    const byte = bad[at - 1] as number;
    const begins =
      bad[at] === LINE_START[0] && bad.subarray(at, at + LINE_START.length).equals(LINE_START);
    if (byte !== 0x0a && !((begins || at === bad.length) && isOneBit(byte ^ 0x0a))) continue;
    if (at - 1 > start) yield bad.subarray(start, at - 1);
    start = at;
  }
  if (start < bad.length) yield bad.subarray(start);
}

/**
 * `line` without its newline. Null where no single bit makes a line of it; resolves with its
 * newline.
 */
function mendLine(line: Buffer): Buffer | null {
  if (line.length <= CHECKED_FROM || line.length > LONGEST) return null;
  const mended = Buffer.concat([line, Buffer.of(0x0a)]);
  const end = line.length;
  if (isGood(mended, end)) return mended;
  const sealed = Buffer.from(mended);
  sealLine(sealed, 0, end);
  let bits = 0;
  for (let at = 0; at < CHECKED_FROM; at += 1) {
    bits += countBits((sealed[at] as number) ^ (mended[at] as number));
  }
  if (bits === 1 && isGood(sealed, end)) return sealed;
  const stored = Number.parseInt(line.toString("latin1", 8, 16), 16);
  if (Number.isNaN(stored)) return null;
  const body = mended.subarray(CHECKED_FROM, end);
  const place = flippedBit(body.length, (stored ^ crc32c(body)) >>> 0);
  if (place === null) return null;
  body[place.at] = (body[place.at] as number) ^ (1 << place.bit);
  return isGood(mended, end) ? mended : null;
}

function isGood(line: Buffer, end: number): boolean {
  const head: LineHead = { kind: "open", seq: 0, batch: 0, ref: 0, noted: false };
  return readHead(line, 0, end, head) && checksumFits(line, 0, end);
}

/** Which bit of so many bytes changes their CRC32C by `difference`; null where none does. */
function flippedBit(length: number, difference: number): { at: number; bit: number } | null {
  const changes = Array.from({ length: 8 }, (_, bit) => TABLE[1 << bit] as number);
  for (let at = length - 1; at >= 0; at -= 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const change = changes[bit] as number;
      if (change === difference) return { at, bit };
      changes[bit] = ((TABLE[change & 0xff] as number) ^ (change >>> 8)) >>> 0;
    }
  }
  return null;
}

/** The polynomial of CRC32C (RFC 3720, 12.1), its bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

function isOneBit(value: number): boolean {
  return countBits(value) === 1;
}

function countBits(value: number): number {
  let bits = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}
