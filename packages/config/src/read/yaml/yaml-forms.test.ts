import { WrittenNumber, withPlainNumbers } from "@orgloop/sdk";
import { expect, it } from "vitest";
import { yamlOracle } from "../../../test/yaml-oracle.ts";
import { readYaml } from "./read-yaml.ts";
import { YamlError } from "./yaml-error.ts";

/** What is said of a text that is refused: its code. */
type Refusal = { readonly code: string };
type Form = readonly [form: string, text: string, expected: unknown];

const refused = (code: string): Refusal => ({ code });
const AMBIGUOUS = refused("ambiguous-yaml");
const INVALID = refused("yaml");
const NUMBER = refused("number");

/** Forms on which readers of YAML differ: what YAML 1.2's core schema makes of them, or why not. */
const FORMS: readonly Form[] = [
  ["words of YAML 1.1", "a: [yes, no, on, off, y, n]", ["yes", "no", "on", "off", "y", "n"]],
  ["true and false in any case", "a: [true, True, FALSE, tRUE]", [true, true, false, "tRUE"]],
  ["nothing", "a: [~, null, Null, NULL, nUll]", [null, null, null, null, "nUll"]],
  ["an empty value", "a:\nb: 1", null],
  ["an empty text", "a: ''", ""],
  ["a zero in front", "a: [010, 08, -07]", [10, 8, -7]],
  ["octal", "a: 0o10", 8],
  ["hexadecimal", "a: 0x1F", 31],
  ["binary, which is none", "a: 0b11", "0b11"],
  ["an underscore", "a: 1_000", "1_000"],
  ["base 60", "a: 1:30", "1:30"],
  ["a plus", "a: [+1, +1.5]", [1, 1.5]],
  ["a bare point", "a: [.5, 1., 1.e3, .]", [0.5, 1, 1000, "."]],
  ["an exponent", "a: [1e3, 1E-2]", [1000, 0.01]],
  ["minus zero", "a: [-0, -0.0]", [-0, -0]],
  ["2^53 - 1", "a: 9007199254740991", 9007199254740991],
  ["an id beyond 2^53", "a: 9007199254740993", new WrittenNumber("9007199254740993")],
  ["a hexadecimal one", "a: 0x1FFFFFFFFFFFFFFF", NUMBER],
  ["a number beyond what a double holds", "a: 1e400", NUMBER],
  ["one in hexadecimal", `a: 0x${"f".repeat(300)}`, AMBIGUOUS],
  ["infinity", "a: .inf", NUMBER],
  ["no number", "a: [.nan]", NUMBER],
  ["a date", "a: 2024-01-01", "2024-01-01"],
  ["a time", "a: 2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"],
  ["a version", "a: 1.2.3", "1.2.3"],
  ["a number in quotes", "a: '1'", "1"],

  ["a key that is a number", "1: a", refused("non-text-key")],
  ["a key that is true", "true: a", refused("non-text-key")],
  ["a key that is nothing", ": a", refused("non-text-key")],
  ["a key on", "a: { on: 1 }", { on: 1 }],
  ["a list as a key", "[a]: b", refused("non-text-key")],
  ["a key of two words", "a: { b c: 1 }", { "b c": 1 }],
  ["a key that stands twice", "a: 1\na: 2", refused("duplicate-key")],
  ["the same key in quotes", "a: 1\n'a': 2", refused("duplicate-key")],
  ["the same key in {}", "a: { b: 1, b: 1 }", refused("duplicate-key")],
  ["__proto__", "__proto__: 1", refused("forbidden-key")],
  ["a key that is asked for", "? a\n: 1", 1],
  ["a key of two lines", "a: 1\n'b\n  c': 2", INVALID],
  ["a key of 1,024 characters", `a: 1\n${"k".repeat(1024)}: 2`, 1],
  ["a longer one", `a: 1\n${"k".repeat(1025)}: 2`, AMBIGUOUS],
  ["a key without a value in {}", "a: { b, c: }", { b: null, c: null }],
  ["a colon without a space in {}", "a: { b:1 }", { "b:1": null }],
  ["a quoted key and no space in {}", 'a: { "b":1 }', { b: 1 }],
  ["a pair in a list", "a: [b: 1]", [{ b: 1 }]],
  ["a second key on the line", 'a:\n- "b" c: 1', AMBIGUOUS],

  ["a tab that indents", "a:\n\tb: 1", refused("tab")],
  ["a tab after a dash", "a:\n  -\tb", AMBIGUOUS],
  ["a tab on an empty line", "a:\n\t\n  b: 1", AMBIGUOUS],
  ["a tab before a comment", "a: 1\t# b", 1],
  ["a tab after a colon", "a:\t1", 1],
  ["a tab inside a text", "a: b\tc", "b\tc"],
  ["a tab in a block", "a: |\n  all:\n  \tmake\n", "all:\n\tmake\n"],
  ["a carriage return by itself", "a: 1\rb: 2", AMBIGUOUS],
  ["CRLF", "a:\r\n  - 1\r\n", [1]],
  ["CRLF in a block", "a: |\r\n  b\r\n  c\r\n", "b\nc\n"],
  ["a next-line character", "a: b\u0085c", "b\u0085c"],
  ["a line separator", "a: b\u2028c", "b\u2028c"],
  ["a no-break space", "a: \u00a0b", "\u00a0b"],
  ["a byte order mark first", "\uFEFFa: 1", 1],
  ["one inside", "a: 1\n\uFEFFb: 2", AMBIGUOUS],
  ["an emoji", "a: 😀é", "😀é"],
  ["half a surrogate pair", "a: \ud800", INVALID],
  ["a control character", "a: \u0001", INVALID],
  ["a NUL", "a: \u0000", INVALID],
  ["a very long line", `a: ${"b ".repeat(100_000)}`, "b ".repeat(100_000).trim()],

  ["a comment without a space", "a: b#c", "b#c"],
  ["a comment after a quote", "a: 'b' # c", "b"],
  ["a comment stuck to a quote", "a: 'b'# c", INVALID],
  ["comments less indented", "a:\n  b:\n # c\n# d\n    e: 1", { b: { e: 1 } }],
  ["a comment between items", "a:\n  - 1\n# b\n  - 2", [1, 2]],
  ["a comment in a list", "a: [1, # b\n  2]", [1, 2]],
  ["one that begins its line", "a: [\n  b\n# c\n  ]", AMBIGUOUS],
  ["one after a block's header", "a: | # b\n  c\n", "c\n"],
  ["one in a block", "a: |\n  # b\n", "# b\n"],
  ["one after a block", "a: |\n  b\n# c\n", "b\n"],
  ["one in a text of two lines", "a: b\n  # c\n  d", INVALID],

  ["a block that keeps its end", "a: |+\n  b\n\n", "b\n\n"],
  ["one that strips it", "a: |-\n  b\n\n", "b"],
  ["one that is folded", "a: >\n  b\n  c\n\n   d\n  e\n", "b c\n\n d\ne\n"],
  ["one with its indentation told", "a: |2\n    b\n", "  b\n"],
  ["one of spaces", "a: |2\n   \nb: 1", AMBIGUOUS],
  ["one less indented than it begins", "a: |\n    b\n  c\n", INVALID],
  ["one of nothing", "a: |\nb: 1", ""],
  ["a text of two lines", "a: b\n  c\n\n  d", "b c\nd"],
  ["one in quotes", 'a: "b\n  c\\\n  d"', "b cd"],
  ["an escaped line before an empty one", 'a: "b\\\n\n  c"', AMBIGUOUS],
  ["escapes", 'a: "\\t\\x41\\u00e9\\U0001F600\\/"', "\tAé😀/"],
  ["an escape that is none", 'a: "\\q"', INVALID],
  ["two single quotes", "a: 'it''s'", "it's"],
  ["a colon in a text", "a: b: c", INVALID],
  ["a colon at its end", "a: [b:c, 'd':e]", ["b:c", { d: "e" }]],
  ["texts that begin oddly", "a: @b", INVALID],
  ["a percent sign", "a: [50%, %b]", INVALID],
  ["a dash", "a: -b", "-b"],
  ["a question mark", "a: ?b", "?b"],
  ["a list over lines", "a: [\n  b,\n  c,\n  ]", ["b", "c"]],
  ["one whose end is not indented", "a: [\n  b\n]", INVALID],
  ["two commas", "a: [b,, c]", INVALID],
  ["a mapping over lines", "a: {\n  b: 1,\n  c: {}\n  }", { b: 1, c: {} }],
  ["a list that is less indented", "a:\n- 1\nb: 2", [1]],

  ["an anchor and an alias", "b: &x { c: 1 }\na: *x", { c: 1 }],
  ["an odd anchor", "a: &;x 1", AMBIGUOUS],
  ["an anchor of nothing", "a: &x\nb: 1", AMBIGUOUS],
  ["an anchor on a mapping in the line", "a: &x b: 1", AMBIGUOUS],
  ["an unknown alias", "a: *x", INVALID],
  ["an alias of itself", "a: &x [*x]", refused("yaml-bomb")],
  ["a merge key", "b: &x { c: 1, d: 2 }\na: { <<: *x, c: 3 }", { c: 3, d: 2 }],
  ["one that comes last", "b: &x { c: 1 }\na:\n  c: 3\n  <<: *x", { c: 3 }],
  ["one with a list", "b: &x { c: 1 }\nd: &y { c: 2, e: 2 }\na: { <<: [*x, *y] }", { c: 1, e: 2 }],
  ["two", "b: &x { c: 1 }\na:\n  <<: *x\n  <<: { d: 2 }", { c: 1, d: 2 }],
  ["one in quotes", "a: { '<<': { b: 1 } }", { "<<": { b: 1 } }],
  ["one with a text", "a: { <<: b }", INVALID],
  ["one that is tagged", "a: { !!str <<: { b: 1 } }", AMBIGUOUS],
  ["merge signs as a value", "a: <<", "<<"],
  ["a tag that says text", "a: !!str 1", "1"],
  ["one that says number", "a: !!int '1'", 1],
  ["one of a float", "a: !!float 3", AMBIGUOUS],
  ["one of nothing", "a: !!str\nb: 1", AMBIGUOUS],
  ["one of a list", "a: !!seq [1]", [1]],
  ["one of a mapping that is a list", "a: !!map [1]", refused("custom-tag")],
  ["the short one", "a: ! 1", AMBIGUOUS],
  ["one of a program", "a: !js/function x", refused("custom-tag")],
  ["one of YAML 1.1", "a: !!binary aGk=", refused("custom-tag")],

  ["a beginning", "---\na: 1", 1],
  ["one that is indented", "  ---\na: 1", AMBIGUOUS],
  ["an end", "a: 1\n...\n", 1],
  ["an end before all", "...\na: 1", AMBIGUOUS],
  ["two documents", "a: 1\n---\na: 2", refused("several-documents")],
  ["dashes in a text", "a: --- b", "--- b"],
  ["%YAML 1.2", "%YAML 1.2\n---\na: yes", "yes"],
  ["%YAML 1.1", "%YAML 1.1\n---\na: yes", AMBIGUOUS],
  ["%TAG", "%TAG ! tag:x,2024:\n---\na: 1", AMBIGUOUS],
  ["a directive without a beginning", "%YAML 1.2\na: 1", INVALID],
  ["65 levels", `a: ${"[".repeat(65)}${"]".repeat(65)}`, refused("too-deep")],
];

const isRefusal = (expected: unknown): expected is Refusal =>
  typeof expected === "object" && expected !== null && "code" in expected;

function readForm(text: string): unknown {
  try {
    const { value, ambiguity } = readYaml(text);
    return ambiguity === null ? (value as { a: unknown }).a : AMBIGUOUS;
  } catch (error) {
    expect(error).toBeInstanceOf(YamlError);
    return refused((error as YamlError).code);
  }
}

it.each(FORMS)("%s", (_, text, expected) => {
  expect(readForm(text)).toEqual(expected);
  if (!isRefusal(expected))
    expect(yamlOracle(text)).toMatchObject({ value: { a: withPlainNumbers(expected) } });
});
