// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language

import type { DocumentPath } from "@orgloop/engine";
import { withPlainNumbers } from "@orgloop/sdk";
import fc from "fast-check";
import { dump } from "js-yaml";
import { expect, it } from "vitest";
import { isMap, isScalar, isSeq, parseDocument, stringify } from "yaml";
import { yamlOracle } from "../../../test/yaml-oracle.ts";
import { indexPositions, lineCounter } from "./positions.ts";
import { readYaml } from "./read-yaml.ts";

const FORBIDDEN = ["__proto__", "constructor", "prototype"];
const scalars = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("yes", "no", "1_000", "0x1F", "2024-01-01", "~", "", " x", "a: b", "# c", "- d"),
  fc.constantFrom("${NAME}", "a\nb\n", "&a", "*a", "!t", "<<", "0o17", "1e3", "'", '"', "%", "@"),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
  fc.boolean(),
  fc.constant(null),
);
const keys = fc
  .oneof(
    fc.constantFrom("id", "when", "payload.kind", "$or", "on", "a b"),
    fc.string({ maxLength: 6 }),
  )
  .filter((key) => !FORBIDDEN.includes(key) && key !== "<<");
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalars,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(keys, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const documents = fc.dictionary(keys, tree, { minKeys: 1, maxKeys: 4, noNullPrototype: true });

/** One document as text, in one of the styles that people and programs write. */
const texts = fc
  .tuple(documents, fc.constantFrom("block", "flow", "js-yaml"), fc.boolean(), fc.boolean())
  .map(([value, style, indented, quoted]) => ({
    value,
    text:
      style === "js-yaml"
        ? dump(value, { noRefs: true })
        : stringify(value, {
            indent: indented ? 4 : 2,
            defaultStringType: quoted ? "QUOTE_DOUBLE" : "PLAIN",
            collectionStyle: style === "flow" ? "flow" : "any",
            lineWidth: quoted ? 0 : 40,
            aliasDuplicateObjects: false,
          }),
  }));

it("reads what two independent writers wrote, as an independent reader does", () => {
  fc.assert(
    fc.property(texts, ({ value, text }) => {
      expect(readYaml(text)).toEqual({ value, ambiguity: null });
      expect(yamlOracle(text)).toEqual({ value });
    }),
    { numRuns: 200 },
  );
});

it("places every value and key where an independent reader sees it", () => {
  fc.assert(
    fc.property(texts, ({ text }) => {
      const index = indexPositions(text);
      const visit = (node: unknown, path: DocumentPath): void => {
        const place = index.place(path);
        if (isScalar(node) && node.range && place && place.start >= 0) {
          const block = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
          if (block) expect(place.start).toBeGreaterThan(node.range[0]);
          else expect(place.start).toBe(node.range[0]);
          expect(place.start).toBeLessThanOrEqual(node.range[1]);
        } else if (isSeq(node)) {
          expect(place?.start).toBe(node.range?.[0]);
          for (const [at, item] of node.items.entries()) visit(item, [...path, at]);
        } else if (isMap(node)) {
          expect(place?.start).toBe(node.range?.[0]);
          for (const { key, value } of node.items) {
            if (!isScalar(key) || typeof key.value !== "string") throw new Error("a text key");
            expect(index.place([...path, key.value])?.key).toBe(key.range?.[0]);
            visit(value, [...path, key.value]);
          }
        }
      };
      visit(parseDocument(text).contents, []);
    }),
    { numRuns: 200 },
  );
});

it("counts lines and columns from 1, whatever ends the lines", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 8 })),
      fc.constantFrom("\n", "\r\n"),
      (lines, end) => {
        const clean = lines.map((line) => line.replaceAll(/[\r\n]/g, ""));
        const count = lineCounter(clean.join(end));
        let offset = 0;
        for (const [at, line] of clean.entries()) {
          expect(count(offset)).toEqual({ line: at + 1, column: 1 });
          expect(count(offset + line.length)).toEqual({ line: at + 1, column: line.length + 1 });
          offset += line.length + end.length;
        }
      },
    ),
  );
});

it("finds values behind aliases and merge keys", () => {
  const text = "base: &b\n  url: x\n  deep: { n: 1 }\nuse: *b\nmore:\n  <<: [*b]\n  url: y\n";
  const index = indexPositions(text);
  const at = (...path: (string | number)[]) => text.slice(index.place(path)?.start).slice(0, 2);
  const { value } = readYaml(text);
  expect(value).toMatchObject({ more: { url: "y", deep: { n: 1 } }, use: { url: "x" } });
  expect(at("use")).toBe("*b");
  expect(at("use", "url")).toBe("x\n");
  expect(at("more", "url")).toBe("y\n");
  expect(at("more", "deep", "n")).toBe("1 ");
  expect(index.place(["more", "none"])).toBeUndefined();
});

it("reads no two aliases into one object", () => {
  const { value } = readYaml("a: &x { n: 1 }\nb: *x\n");
  const { a, b } = value as { a: object; b: object };
  expect(b).toEqual(a);
  expect(b).not.toBe(a);
});

it.each([
  "12345678901234567890",
  "-9007199254740993",
  "1e21",
  "1.0e30",
  "9007199254740993.5",
  "1e-400",
])("keeps the number %s, which a double would change, as it is written", (number) => {
  const text = `n: ${number} # an id\nlist: [${number}, &a ${number}]\nagain: *a\nsmall: 12\n`;
  const { value, ambiguity } = readYaml(text);
  expect(JSON.stringify(value)).toBe(
    `{"n":${number},"list":[${number},${number}],"again":${number},"small":12}`,
  );
  expect(`${(value as Record<string, unknown>).n}`).toBe(number);
  expect(ambiguity).toBeNull();
  expect(yamlOracle(text)).toEqual({ value: withPlainNumbers(value) });
});

it.each(["1e400", "-1e400", "+1.5e999", ".5e400", "9".repeat(400)])(
  "refuses the number %s by what is wrong with it, as text it is one",
  (number) => {
    expect(() => readYaml(`n: ${number}\n`)).toThrow(
      /^the number \S+ is out of the range of a double: put it in quotes$/,
    );
    expect(readYaml(`n: "${number}"\n`).value).toEqual({ n: number });
  },
);

it.each(["0x1FFFFFFFFFFFFFFF", "+12345678901234567890", "012345678901234567890"])(
  "refuses %s, which could not be written out as it is",
  (number) => {
    expect(() => readYaml(`- ${number}\n`)).toThrow("too large to be kept in this form");
  },
);
