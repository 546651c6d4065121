import { expect, test } from "vitest";
import { encodeLine } from "../format/line.ts";
import { mend } from "./mend.ts";

const lines = [
  encodeLine(7, 6, '"event":{"id":"evt_ä","payload":{"n":1}},"at":1,"open":1}'),
  encodeLine(8, 6, '"ack":7}'),
];

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ (1 << bit);
  return changed;
}

test("one flipped bit anywhere in a line, its newline too, is found", () => {
  for (const line of lines) {
    for (let at = 0; at < line.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        expect(mend(flipped(line, at, bit)), `byte ${at} bit ${bit}`).toEqual([line]);
      }
    }
  }
});

test("a newline between two lines that became another character is found", () => {
  const both = Buffer.concat(lines);
  for (let bit = 0; bit < 8; bit += 1) {
    expect(mend(flipped(both, (lines[0] as Buffer).length - 1, bit))).toEqual(lines);
  }
});

test("each of several lines is looked at by itself", () => {
  const [first, second] = lines as [Buffer, Buffer];
  expect(mend(Buffer.concat([flipped(first, 40, 1), flipped(second, 30, 2)]))).toEqual(lines);
  expect(mend(Buffer.concat([Buffer.from("garbage\n"), flipped(second, 30, 2)]))).toEqual([second]);
});

test("two flipped bits, and what was never a line, are left as they are", () => {
  const [line] = lines as [Buffer, Buffer];
  for (let at = 18; at < line.length - 2; at += 1) {
    expect(mend(flipped(flipped(line, at, 0), at + 1, 3))).toEqual([]);
  }
  for (const text of ["", "\n", "garbage\n", '{"crc":"00000000","seq":1}\n', "\0".repeat(600)]) {
    expect(mend(Buffer.from(text))).toEqual([]);
  }
});
