import { crc32c } from "@node-rs/crc32";

/**
 * The form that checksummed lines share: `{"crc":"xxxxxxxx",…}` and a newline. `crc` is the CRC32C,
 * in hex, of the bytes after `{"crc":"xxxxxxxx",` up to the newline.
 */
const OPENING = Buffer.from('{"crc":"');
/** Bytes before those that the checksum covers. */
export const CHECKED_FROM = '{"crc":"xxxxxxxx",'.length;

const HEX = Buffer.from("0123456789abcdef");

/**
 * Makes a line of the bytes from `offset + CHECKED_FROM` to `end`, which are the rest of a JSON
 * object: writes what stands before them and the newline. There must be room. Returns the line's
 * end.
 */
export function sealLine(into: Buffer, offset: number, end: number): number {
  OPENING.copy(into, offset);
  writeHex(into, offset + 8, crc32c(into.subarray(offset + CHECKED_FROM, end)));
  into[offset + 16] = 0x22;
  into[offset + 17] = 0x2c;
  into[end] = 0x0a;
  return end + 1;
}

/**
 * True where the line from `start` up to its newline at `end` has the form; its checksum is not
 * looked at.
 */
export function isSealed(from: Buffer, start: number, end: number): boolean {
  if (end - start <= CHECKED_FROM || from[end - 1] !== 0x7d) return false;
  for (let index = 0; index < OPENING.length; index += 1) {
    if (from[start + index] !== OPENING[index]) return false;
  }
  return from[start + 16] === 0x22 && from[start + 17] === 0x2c;
}

/**
 * True where the checksum of the line from `start` up to its newline at `end` fits. Its form must
 * have been read before.
 */
export function checksumFits(from: Buffer, start: number, end: number): boolean {
  return readHex(from, start + 8) === crc32c(from.subarray(start + CHECKED_FROM, end));
}

const SEQ = Buffer.from('"seq":');
const COMMA = 0x2c;

/** A numbered line of its own: `body` is the text of a JSON object that is not empty. */
export function encodeChecked(seq: number, body: string | Uint8Array): Buffer {
  const head = `"seq":${seq},`;
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const line = Buffer.allocUnsafe(CHECKED_FROM + head.length + length);
  const at = CHECKED_FROM + line.write(head, CHECKED_FROM, "latin1") - 1;
  if (typeof body === "string") line.write(body, at, "utf8");
  else line.set(body, at);
  // The body's brace stands where the comma belongs.
  line[at] = COMMA;
  sealLine(line, 0, line.length - 1);
  return line;
}

/** What a numbered line says: its number, and its body as it was given. */
export interface CheckedLine {
  readonly seq: number;
  readonly body: Buffer;
}

/**
 * Null where the line (without its line end) has not the form, or its checksum does not fit. The
 * body is of the same bytes, which it changes.
 */
export function decodeChecked(line: Buffer): CheckedLine | null {
  if (!isSealed(line, 0, line.length) || !checksumFits(line, 0, line.length)) return null;
  if (line.compare(SEQ, 0, SEQ.length, CHECKED_FROM, CHECKED_FROM + SEQ.length) !== 0) return null;
  const comma = line.indexOf(COMMA, CHECKED_FROM);
  if (comma === -1) return null;
  const seq = Number(line.toString("latin1", CHECKED_FROM + SEQ.length, comma));
  if (!Number.isSafeInteger(seq)) return null;
  line[comma] = 0x7b;
  return { seq, body: line.subarray(comma) };
}

function writeHex(into: Buffer, offset: number, value: number): void {
  for (let index = 0; index < 8; index += 1) {
    into[offset + index] = HEX[(value >>> (28 - 4 * index)) & 15] as number;
  }
}

/** -1 where it is not eight digits in lower case. */
function readHex(from: Buffer, offset: number): number {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const code = from[offset + index] as number;
    const digit =
      code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}
