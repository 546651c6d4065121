import { isMapping, withPlainNumbers } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type OracleReading, yamlOracle } from "../../../test/yaml-oracle.ts";
import { ambiguityOf } from "./ambiguity-of.ts";
import { readEvents, readYaml } from "./read-yaml.ts";
import { YamlError } from "./yaml-error.ts";

const FRAGMENTS = [
  ...["!", "!!str ", "!!int ", "!!map ", "!!seq ", "!!null ", "!!float 3", "&a ", "*a", "&;x"],
  ...["? ", "<<: ", "- ", ": ", ":", ", ", "{", "}", "[", "]", "{a: 1}", "[1, 2]", '{ "a":1}'],
  ...["|", "|+", "|-", "|2", "|4", ">-", ">", "'", '"', "\\", "\\n", "\\\n", "''", '""'],
  ...["\n", "\n  ", "\n    ", "\n    x\n", "\n\n", " \n", "\r\n", "\r", "\t", "\n\t", "\n  \t"],
  ...["...", "---", "\n...\n", "\n---\n", "%", "%YAML 1.1\n", "%YAML 1.2\n---\n", "@", "`"],
  ...["# c", "#c", " #", " # c\n", "\n# c\n", "\n  # c\n"],
  ...["1e400", "-1E+999", "0o7", "0x1F", "1_0", ".5", "1.", "+1", "08", "1:30", "-0", "TRUE", "~"],
  ...["\u0085", "\u2028", "\uFEFF", "é", "😀", "\u007f", "\u0001", "\u00a0", "a", "b", "  "],
  ...["a: ", "- a\n", "? a\n", "c: d\n", "\n  e: f\n", "\n  - g\n", "*b ", "&b ", "[*a, *b]"],
];
const FRAMES = [
  ...["$", "$\nb: 1\n", "a: $\nb: 1\n", "a: 1\n$", "a: 1 $\n", "k$: 1\n", "a: x\n  $y\nb: 1\n"],
  ...["a:\n  - $\n  - x\n", "a:\n  k: $\n  z: 1\n", "a:\n- $\nb:\n- x\n", "a:\n  - b: 1\n    $\n"],
  ...["a: { k: $ }\n", "a: [ $ ]\nb: 1\n", "{ a: 1, $ }", "a: {\n  k: $,\n  l: 2\n}\n"],
  ...["z: &a { q: 1 }\nx:\n  $\n", "z: &a { q: 1 }\ny: &b { r: 2 }\nx:\n  <<: $\n  k: 1\n"],
  ...["a: |\n  $\nb: 1\n", "a: >\n  $\nb: 1\n", "a: |2\n  $\nb: 1\n", "a:\n  b: |\n    $\n   c\n"],
  ...['a: "$"\nb: 1\n', "a: '$'\nb: 1\n", 'a: "x\n$y"\nb: 1\n'],
];
const pieces = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) },
    { weight: 1, arbitrary: fc.stringMatching(/^[ -~]{1,4}$/) },
  ),
  { maxLength: 9 },
);
const texts = fc
  .tuple(pieces, fc.constantFrom(...FRAMES))
  .map(([list, frame]) => frame.replace("$", () => list.join("")));

/** Its fault: YAML 1.2 lets comments between a key and its value be less and less indented. */
const isOracleFault = (text: string, oracle: OracleReading) =>
  "error" in oracle && oracle.error === "MULTILINE_IMPLICIT_KEY" && /\n *#/.test(text);

it("whatever stands in a text, an independent reader reads it alike, or it is refused", () => {
  let read = 0;
  fc.assert(
    fc.property(texts, (text) => {
      let ours: ReturnType<typeof readYaml>;
      try {
        ours = readYaml(text);
      } catch (error) {
        expect(error).toBeInstanceOf(YamlError);
        return;
      }
      // A file that holds no mapping is refused whatever it holds.
      if (ours.ambiguity !== null || !isMapping(ours.value)) return;
      const oracle = yamlOracle(text);
      if (isOracleFault(text, oracle)) return;
      read++;
      expect(oracle).toEqual({ value: withPlainNumbers(ours.value) });
    }),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(200);
});

it("and after any one character of a sound text was changed", () => {
  const sound = `# yaml-language-server: $schema=x
kind: RouteGroup
base: &base { retry: { max: 3 }, timeout: 5m }
routes:
  - name: a-route # why
    when:
      source: [hub, "x y"]
      filter: { payload.kind: [{ prefix: "pr-" }, { numeric: [">", 10] }] }
    then:
      actor: agent
      config: { subject: "{{payload.title}}" }
    delivery: { <<: *base, order: none }
  - name: 'b'
    enabled: false
    prompt: |
      one

      \ttwo
    note: >-
      three
      four

labels:
- one
- "two"
`;
  expect(readYaml(sound)).toEqual({ ...yamlOracle(sound), ambiguity: null });
  const characters = fc.constantFrom(..."ab 1\n\t:-#{}[],'\"&*!|>%@`?~.\\\r\u0085\u00a0\u2028é");
  fc.assert(
    fc.property(fc.nat(sound.length), characters, fc.nat(2), (at, character, cut) => {
      const text = sound.slice(0, at) + character + sound.slice(at + cut);
      let ours: ReturnType<typeof readYaml>;
      try {
        ours = readYaml(text);
      } catch {
        return;
      }
      if (ours.ambiguity !== null) return;
      const oracle = yamlOracle(text);
      if (!isOracleFault(text, oracle))
        expect(oracle).toEqual({ value: withPlainNumbers(ours.value) });
    }),
    { numRuns: 1_500 },
  );
});

it.each([
  ["a: 1\rb: 2\n", "\r"],
  ["a:\n  b: 1\n\t\n  c: 2\n", "\t"],
  ["a: !!float 3\n", "3"],
  ["a: &;x 1\n", "&;x"],
])("says where it stands: %j", (text, found) => {
  const offset = ambiguityOf(text, readEvents(text)) ?? -1;
  expect(text.slice(offset, offset + found.length)).toBe(found);
});
