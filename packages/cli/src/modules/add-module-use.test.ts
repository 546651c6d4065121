import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { addModuleUse, type ModuleUse } from "./add-module-use.ts";

const USE: ModuleUse = { package: "@acme/review", name: "r", params: { source: "hub", max: 5 } };
const ENTRY = `- package: "@acme/review"
  name: r
  params:
    source: hub
    max: 5
`;
const indented = (by: string) => ENTRY.replace(/^(?=.)/gm, by);

describe("an entry is added, and nothing else is touched", () => {
  test.each<[string, string, string]>([
    [
      "after others, their comments and blank lines",
      "a: 1   # one\nmodules: # all\n  # the first\n  - package: ./m   # here\n\n  # the second\n  - { package: ./n } # there\n  # trailing\n\nb: {x: 1,y: 2}\n",
      `a: 1   # one\nmodules: # all\n  # the first\n  - package: ./m   # here\n\n  # the second\n  - { package: ./n } # there\n${indented("  ")}  # trailing\n\nb: {x: 1,y: 2}\n`,
    ],
    [
      "without an indentation",
      "modules:\n- package: ./m\n  params: { a: 'b' }\nb: 1\n",
      `modules:\n- package: ./m\n  params: { a: 'b' }\n${ENTRY}b: 1\n`,
    ],
    [
      "with a deep one, at the end of a file without a line break",
      "modules:\n      - package: ./m",
      `modules:\n      - package: ./m\n${indented("      ")}`,
    ],
    ["where there are none", "a: 1\n# the end\n", `a: 1\n# the end\n\nmodules:\n${indented("  ")}`],
    [
      "where the list is not written",
      "modules: # none yet\nb: 1\n",
      `modules: # none yet\n${indented("  ")}b: 1\n`,
    ],
    [
      "in brackets",
      "modules: [{ package: ./m }] # all\nb: 1\n",
      'modules: [{ package: ./m }, { package: "@acme/review", name: r, params: { source: hub, max: 5 } }] # all\nb: 1\n',
    ],
    [
      "in empty brackets",
      "modules: []\n",
      'modules: [ { package: "@acme/review", name: r, params: { source: hub, max: 5 } }]\n',
    ],
    [
      "after a text of several lines",
      "modules:\n  - package: ./m\n    params:\n      text: |\n        one\n\n        two\n\nb: 1\n",
      `modules:\n  - package: ./m\n    params:\n      text: |\n        one\n\n        two\n${indented("  ")}\nb: 1\n`,
    ],
  ])("%s", (_what, before, after) => {
    expect(addModuleUse(before, USE)).toBe(after);
  });

  test("with the line breaks of the file", () => {
    expect(addModuleUse("modules:\r\n  - package: ./m\r\n", { package: "./n" })).toBe(
      "modules:\r\n  - package: ./m\r\n  - package: ./n\r\n",
    );
  });
});

test("where there is no place for it, the file is written anew, with its comments", () => {
  const text = "# first\nmodules: [\n  { package: ./m }, # one\n  # two\n]\nb: 1 # last\n";
  const added = addModuleUse(text, USE);
  expect(parse(added)).toEqual({ modules: [{ package: "./m" }, USE], b: 1 });
  for (const comment of ["# first", "# one", "# two", "# last"]) expect(added).toContain(comment);
});

test("what is no YAML is refused", () => {
  expect(() => addModuleUse("a: [", USE)).toThrow(
    expect.objectContaining({ code: "BAD_MANIFEST" }),
  );
});

test("whatever the parameters are, the manifest holds what it held and them", () => {
  const scalar = fc.oneof(
    fc.string({ unit: "binary-ascii" }).filter((text) => !text.includes("\0")),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(
      "- x",
      "# no comment",
      "a: b",
      "'",
      "\n",
      "true",
      "0x1f",
      "[",
      "*x",
      "@y",
      "|",
      "\u0085",
      "\ufeff",
      "\u2028",
      "é",
    ),
  );
  const params = fc.dictionary(
    fc.stringMatching(/^[a-z_]{1,8}$/),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
    { maxKeys: 3 },
  );
  const before = "# head\na: 1\nmodules:\n  - package: ./m # one\nb: { c: 2 }\n";
  fc.assert(
    fc.property(params, (given) => {
      const use = { package: "./n", params: given };
      const added = addModuleUse(before, use);
      expect(parse(added)).toEqual({ a: 1, modules: [{ package: "./m" }, use], b: { c: 2 } });
      expect(added.startsWith("# head\na: 1\nmodules:\n  - package: ./m # one\n")).toBe(true);
      expect(added.endsWith("b: { c: 2 }\n")).toBe(true);
    }),
    { numRuns: 100 },
  );
});
