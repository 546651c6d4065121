import { parseEnv } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDotenv } from "./parse-dotenv.ts";

test.each([
  ["A=abc#def", "abc#def"],
  ["A=#abc", "#abc"],
  ["A=abc # a comment", "abc"],
  ["A=abc\t#def", "abc"],
  ["A= # nothing", ""],
  ["A=", ""],
  ["A = two words  ", "two words"],
  ['A="abc # def" # comment', "abc # def"],
  ["A='$x\\n'", "$x\\n"],
  ['A="a\\nb"', "a\nb"],
  ['A="one\ntwo"\nB=3', "one\ntwo"],
  ['A=`it\'s "so"`', 'it\'s "so"'],
  ["A='open", "'open"],
  ["export A=1", "1"],
  ["\uFEFFA=first", "first"],
  ["# A=0\r\nA=crlf\r\nB=x\r\n", "crlf"],
  ["A=1\nA=2", "2"],
  ["A=a=b", "a=b"],
])("%j", (text, expected) => {
  expect(parseDotenv(text).A).toBe(expected);
});

test("as Node reads it, wherever no # stands", () => {
  const value = fc
    .string({ unit: fc.constantFrom("a", "B", "1", " ", "=", "$", "\\", "/", "é") })
    .filter((text) => !/^\s|^$|\\n/.test(text));
  const quoted = fc
    .tuple(fc.constantFrom("'", '"', "`"), value, fc.boolean())
    .map(([quote, text, lines]) => `${quote}${text}${lines ? "\nmore" : ""}${quote}`);
  const name = fc.constantFrom("A", "B_1", "lower");
  const line = fc
    .tuple(fc.constantFrom("", "export ", "  "), name, fc.oneof(value, quoted))
    .map(([head, key, text]) => `${head}${key}=${text}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.constantFrom("", "  ", "no entry"))), (lines) => {
      const text = `${lines.join("\n")}\n`;
      expect(parseDotenv(text)).toEqual({ ...parseEnv(text) });
    }),
  );
});
