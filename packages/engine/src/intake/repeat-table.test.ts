import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMark, parseMark, type RepeatMark, RepeatTable } from "./repeat-table.ts";

/** Keys that share their places in the index, so that they push each other aside. */
const key = fc.record({
  high: fc.integer({ min: 0, max: 3 }),
  low: fc.constantFrom(0, 1, 2, 1_023, 2_047, 2_048, 0xffff_ffff),
});

/** What a table is to do, without its arrays. */
class Reference {
  readonly marks: RepeatMark[] = [];
  readonly #most: number;
  pushedOut = 0;
  constructor(most: number) {
    this.#most = most;
  }
  find({ high, low }: Pick<RepeatMark, "high" | "low">): RepeatMark | null {
    return this.marks.find((one) => one.high === high && one.low === low) ?? null;
  }
  add(mark: RepeatMark): boolean {
    if (this.find(mark) !== null) return false;
    this.marks.push(mark);
    return true;
  }
  delete(mark: RepeatMark): void {
    const at = this.marks.findIndex(({ high, low }) => high === mark.high && low === mark.low);
    if (at !== -1) this.marks.splice(at, 1);
  }
  get isFull(): boolean {
    return this.marks.length >= this.#most;
  }
}

test("finds what was added and not taken out, whatever shares a place with it", () => {
  const step = fc.record({
    do: fc.constantFrom("add", "add", "delete"),
    key,
    body: fc.integer({ min: 0, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new RepeatTable();
      const reference = new Reference(1_000);
      for (const [index, { do: what, key: at, body }] of steps.entries()) {
        const mark = { ...at, body, at: index + 1 };
        if (what === "add") expect(table.add(mark, 0)).toBe(reference.add(mark));
        else {
          table.delete(mark);
          reference.delete(mark);
        }
        expect(table.size).toBe(reference.marks.length);
        expect([...table.marks()]).toEqual(reference.marks);
      }
      for (const mark of reference.marks) expect(table.find(mark)).toEqual(mark);
    }),
  );
});

const numbered = (n: number, at = n): RepeatMark => ({
  high: n,
  low: Math.imul(n, 0x9e3779b1) >>> 0,
  body: n,
  at,
});

test("grows to its bound; then the oldest makes room, and it says for how long ids are really known", () => {
  const table = new RepeatTable(5_000);
  for (let n = 1; n <= 5_000; n += 1) table.add(numbered(n), 0);
  expect(table.size).toBe(5_000);
  expect(table.pushedOutAt).toBe(0);
  for (let n = 5_001; n <= 12_000; n += 1) table.add(numbered(n), 0);
  expect(table.size).toBe(5_000);
  expect(table.pushedOutAt).toBe(7_000);
  expect(table.find(numbered(7_000))).toBeNull();
  for (let n = 7_001; n <= 12_000; n += 1) expect(table.find(numbered(n))).toEqual(numbered(n));
});

test("what is out of every window goes first: nothing is pushed out while that makes room", () => {
  const table = new RepeatTable(2_000);
  for (let n = 1; n <= 10_000; n += 1) table.add(numbered(n), n - 1_500);
  expect(table.pushedOutAt).toBe(0);
  for (let n = 8_501; n <= 10_000; n += 1) expect(table.find(numbered(n))).not.toBeNull();
});

test("a mark is 32 hex digits", () => {
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(fc.record({ high: word, low: word, body: word, at: word }), (mark) => {
      expect(formatMark(mark)).toMatch(/^[0-9a-f]{32}$/);
      expect(parseMark(formatMark(mark))).toEqual(mark);
    }),
  );
  expect(parseMark("nothing")).toBeNull();
});
