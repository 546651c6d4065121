import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isMapping,
  isWrittenNumber,
  parseJson,
  plainValue,
  WrittenNumber,
  withPlainNumbers,
} from "./json.ts";

const rewritten = (text: string) => JSON.stringify(parseJson(text));

describe("numbers", () => {
  test.each([
    "9007199254740993",
    "-9007199254740993",
    "12345678901234567890",
    "1700000000123456789",
    "12345678901234567.5",
    "1.2345678901234567890e19",
    "123456789.0123456789e12",
    "100000000000000000000000",
    "1e-400",
    "0.5e-330",
  ])("%s stays as it was written", (number) => {
    for (const text of [number, `[${number}]`, `{"a":{"id":${number},"b":1}}`]) {
      expect(rewritten(text)).toBe(text);
    }
    expect(rewritten(`[ ${number} ,\n${number}\t]`)).toBe(`[${number},${number}]`);
  });

  test.each([
    ["9007199254740992", 9007199254740992],
    ["9007199254740991", 9007199254740991],
    ["1234567890123456", 1234567890123456],
    ["0.1", 0.1],
    ["0.30000000000000004", 0.30000000000000004],
    ["0.1000000000000000055", 0.1],
    ["1e10", 1e10],
    ["1E+2", 100],
    ["1e-300", 1e-300],
    ["-0", -0],
    ["0e999", 0],
  ])("%s is an ordinary number", (text, number) => {
    expect(parseJson(text)).toBe(number);
  });

  test.each(["1e400", "-1e400", "1E+0400", "123456789e301", "9".repeat(400), "[1, 2e999]"])(
    "%s is out of range",
    (text) => {
      for (const json of [text, `{"amount":${text}}`]) {
        expect(() => parseJson(json)).toThrow(
          expect.objectContaining({ code: "NUMBER_OUT_OF_RANGE" }),
        );
      }
    },
  );

  test("what looks like one inside a text is text", () => {
    const value = { a: "1e400", "12345678901234567890": "x, 12345678901234567890", b: "[1e999" };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });

  test("texts around a number stay as they are, whatever stands in them", () => {
    const text = fc.string({
      unit: fc.constantFrom('"', "\\", ",", "1", "e", "4", "0", ":", "[", "x"),
    });
    const written = fc.constantFrom("12345678901234567890", "9007199254740993", "1", "1e-400");
    fc.assert(
      fc.property(fc.array(fc.tuple(text, written)), (pairs) => {
        const members = pairs.map(
          ([key, number], at) => `${JSON.stringify(`k${at}${key}`)}:[${number}]`,
        );
        const json = `{${members.join(",")},"":${JSON.stringify(pairs.join(""))}}`.replace(
          "{,",
          "{",
        );
        expect(rewritten(json)).toBe(json);
      }),
    );
    const json = '{"__proto__":12345678901234567890}';
    expect(rewritten(json)).toBe(json);
    expect(Object.getPrototypeOf(parseJson(json))).toBe(Object.prototype);
  });

  test("any JSON is read as JSON.parse reads it, and integers of any length are written as they came", () => {
    const integer = fc
      .tuple(
        fc.constantFrom("", "-"),
        fc.integer({ min: 1, max: 9 }),
        fc.stringMatching(/^\d{0,40}$/),
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.json(), fc.array(integer), (json, integers) => {
        expect(parseJson(json)).toEqual(JSON.parse(json));
        const text = `{"x":[${integers.join(",")}],"y":${JSON.stringify(json)}}`;
        expect(rewritten(text)).toBe(text);
        expect(withPlainNumbers(parseJson(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a byte order mark before JSON is left out, one inside a text stays", () => {
  expect(parseJson('\uFEFF{"a":"\uFEFF"}')).toEqual({ a: "\uFEFF" });
  expect(rewritten("\uFEFF[12345678901234567890]")).toBe("[12345678901234567890]");
  expect(() => parseJson('\uFEFF\uFEFF{"a":1}')).toThrow(SyntaxError);
});

test("what is no JSON is a SyntaxError, also where it is nested too deeply", () => {
  expect(() => parseJson("{")).toThrow(SyntaxError);
  const deep = `${"[".repeat(50_000)}12345678901234567890${"]".repeat(50_000)}`;
  expect(() => parseJson(deep)).toThrow(SyntaxError);
});

test("a number as it was written is a number in comparisons, and itself as text", () => {
  const id = new WrittenNumber("12345678901234567890");
  expect(`${id}`).toBe("12345678901234567890");
  expect(Number(id)).toBe(12345678901234567000);
  expect(plainValue(id)).toBe(12345678901234567000);
  expect(isMapping(id)).toBe(false);
  expect(isWrittenNumber({ rawJSON: "1" })).toBe(false);
  expect(isWrittenNumber(JSON.parse('{"rawJSON":"1"}'))).toBe(false);
  const ofJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
  expect(isWrittenNumber(ofJson("12345678901234567890"))).toBe(true);
  expect(isWrittenNumber(ofJson('"text"'))).toBe(false);
});
