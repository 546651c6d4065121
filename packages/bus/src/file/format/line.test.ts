import { checksumFits } from "@orgloop/files";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeLine, type LineHead, readHead } from "./line.ts";

const head = (): LineHead => ({ kind: "open", seq: 0, batch: 0, ref: 0, noted: false });

/** What a reader of the log would make of these bytes: null where it takes them for damaged. */
function read(line: Buffer): LineHead | null {
  const found = head();
  const end = line.length - 1;
  return line.indexOf(0x0a) === end && readHead(line, 0, end, found) && checksumFits(line, 0, end)
    ? found
    : null;
}

const bodies = fc.oneof(
  fc.jsonValue().map((value) => `"event":${JSON.stringify({ value })},"at":1,"open":1}`),
  fc.nat().map((seq) => `"ack":${seq}}`),
  fc
    .tuple(fc.nat(), fc.string({ unit: "binary" }))
    .map(([seq, route]) => `"settle":${seq},"route":${JSON.stringify(route)}}`),
  fc.nat().map((count) => `"open":${count},"at":5}`),
);

test("a line is JSON and is read back, and any flipped bit in it is noticed", () => {
  fc.assert(
    fc.property(bodies, fc.maxSafeNat(), fc.nat(), (body, seq, position) => {
      const line = encodeLine(seq, seq, body);
      const json = JSON.parse(line.toString()) as { seq: number; batch: number };
      expect(json).toMatchObject({ seq, batch: seq });
      const found = read(line);
      expect(found).toMatchObject({ seq, batch: seq });
      expect(body.startsWith(`"${found?.kind}"`)).toBe(true);
      const bit = position % (line.length * 8);
      const flipped = Buffer.from(line);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(read(flipped)).toBeNull();
    }),
  );
});

test("the checksum is CRC32C", () => {
  // "123456789" has the check value e3069283; a line over other bytes is computed by the reference
  // polynomial below.
  const line = encodeLine(7, 7, '"ack":3}').toString();
  expect(line).toBe(
    `{"crc":"${reference('"seq":7,"batch":7,"ack":3}')}","seq":7,"batch":7,"ack":3}\n`,
  );
  expect(reference("123456789")).toBe("e3069283");
});

test.each([
  '{"crc":"00000000","seq":01,"batch":1,"ack":1}',
  '{"crc":"00000000","seq":1,"batch":1,"nack":1}',
  '{"crc":"00000000","seq":1,"batch":1,"ack":}',
  '{"crc":"00000000","seq":1,"batch":1,"ack":x}',
  '{"crc":"00000000", "seq":1,"batch":1,"ack":1}',
  '{"crc":"00000000","seq":99999999999999999,"batch":1,"ack":1}',
  '{"crc":"00000000","seq":1',
  "",
])("is no line: %s", (text) => {
  expect(readHead(Buffer.from(`${text}\n`), 0, text.length, head())).toBe(false);
});

function reference(text: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}
