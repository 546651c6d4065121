// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseDocument } from "yaml";
import { readPlainYaml } from "./plain-yaml.ts";

/** Values that are common, and values on which readers could differ. */
const common = fc.constantFrom(
  ...["text", "two words", "5m", "100/s", "12", "-3", "0", "true", "null", "./a.md", "${NAME}"],
  ...[
    "https://a.test/b?c=d#e",
    "a#b",
    "a #b",
    '"q"',
    "'q: x'",
    "{{payload.x}}",
    "{ a: 1, b: [c] }",
  ],
  ...[
    "[1, two words, 'x']",
    "[]",
    "{}",
    "[[1], { b: 2 }]",
    "{ prefix: area-1 }",
    "it's",
    "a-b",
    "",
  ],
);
const odd = fc.constantFrom(
  ...[
    "0x1F",
    "1e3",
    "-0",
    "007",
    "No",
    "~",
    "a: b",
    "a:",
    "- x",
    "-",
    "*a",
    "&a b",
    '"a\\n"',
    "'it''s'",
  ],
  ...['"open', "@x", "%x", "|", ">", "!t", "?", "{a: b,}", "{ a: 1, a: 2 }", "[a: 1]", "[x", "x]"],
  ...[
    "{ a: https://b.test }",
    "[a b , c]",
    "{ a : 1 }",
    "[- a]",
    ".5",
    "1.5",
    "2024-01-01",
    "1_000",
    "é",
  ],
);
const line = fc.record({
  step: fc.constantFrom(0, 0, 0, 0, 1, -1, -2, -9),
  item: fc.constantFrom("", "", "", "- "),
  key: fc.option(fc.constantFrom("a", "b", "when", "payload.kind", "$or", "x-y"), {
    nil: "",
    freq: 12,
  }),
  value: fc.oneof({ weight: 20, arbitrary: common }, { weight: 1, arbitrary: odd }),
  tail: fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom("", "", "", " # note", "\n# note", "\n\n") },
    { weight: 1, arbitrary: fc.constantFrom("\n---", "\n...", "\r", "\t", "#", " ", "\n   ") },
  ),
});

/** Lines that follow each other mostly as they should. */
const lines = fc.array(line, { minLength: 1, maxLength: 7 }).map((all) => {
  let depth = 0;
  return all.map(({ step, item, key, value, tail }, at) => {
    depth = at === 0 ? 0 : Math.max(0, depth + step);
    const name = key === "" ? "" : `${key}${at % 5 === 4 ? "" : at}: `;
    const text = `${"  ".repeat(depth)}${at === 0 ? "" : item}${name}${value}${tail}`;
    if (item !== "" && at > 0) depth++;
    return text;
  });
});

/** What an independent reader finds; undefined where it refuses the text. */
function reference(text: string): unknown {
  const document = parseDocument(text, { merge: true, logLevel: "silent" });
  return document.errors.length > 0 ? undefined : document.toJS();
}

it("finds what the yaml package finds, or leaves the text to it", () => {
  let read = 0;
  fc.assert(
    fc.property(lines, fc.constantFrom("\n", "\n", ""), (all, end) => {
      const text = all.join("\n") + end;
      const value = readPlainYaml(text);
      if (value === undefined) return;
      read++;
      expect(value).toEqual(reference(text));
    }),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(300);
});

it("finds what the yaml package finds after any one character of a sound text was changed", () => {
  const sound = `kind: RouteGroup
routes:
  - name: a-route # why
    when:
      source: [hub, "x y"]
      filter: { payload.kind: [{ prefix: "pr-" }, { numeric: [">", 10] }] }
    then:
      actor: agent
      config: { subject: "{{payload.title}}" }
  - name: b
    enabled: false

    delivery: { max_rate: 100/s }
labels:
- one
- two
`;
  expect(readPlainYaml(sound)).toEqual(reference(sound));
  const characters = fc.constantFrom(..."ab 1\n\t:-#{}[],'\"&*!|>%@`?~.\\\r\u0085\u00a0\u2028é");
  fc.assert(
    fc.property(fc.nat(sound.length), characters, fc.nat(2), (at, character, cut) => {
      const text = sound.slice(0, at) + character + sound.slice(at + cut);
      const value = readPlainYaml(text);
      if (value !== undefined) expect(value).toEqual(reference(text));
    }),
    { numRuns: 1_500 },
  );
});

it.each([
  "a: 1\n---\nb: 2\n",
  "a: &x 1\nb: *x\n",
  "a: |\n  text\n",
  "a: one\n  two\n",
  "a: 1\na: 2\n",
  "__proto__: 1\n",
  "a: 0x1F\n",
  "a: yes\n",
  "a: 12345678901234567890\n",
  "- a\n",
  "",
  `a:\n${Array.from({ length: 60 }, (_, depth) => `${" ".repeat(depth + 1)}a:`).join("\n")}`,
])("leaves %j to the other reader", (text) => {
  expect(readPlainYaml(text)).toBeUndefined();
});
