// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMapping } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readYaml } from "../read/yaml/read-yaml.ts";
import { passesSchema } from "./passes-schema.ts";
import { DOCUMENT_SCHEMAS, type DocumentKind } from "./validate-document.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const files = globSync(["{examples,modules}/**/*.yaml", "packages/config/fixtures/**/*.y*ml"], {
  cwd: ROOT,
  exclude: (name) => name.endsWith("node_modules"),
});

/** Every document of ours that can be read, sound or not. */
const documents = files.flatMap((file) => {
  try {
    const { value } = readYaml(readFileSync(join(ROOT, file), "utf8"));
    return isMapping(value) && Object.hasOwn(DOCUMENT_SCHEMAS, String(value.kind)) ? [value] : [];
  } catch {
    return [];
  }
});

const schemaOf = (value: Record<string, unknown>) => DOCUMENT_SCHEMAS[value.kind as DocumentKind];

it("says of every document what a parse says", () => {
  const said = documents.map((value) => passesSchema(schemaOf(value), value));
  const parsed = documents.map((value) => schemaOf(value).safeParse(value).success);
  expect(said).toEqual(parsed);
  expect(new Set(said)).toEqual(new Set([true, false]));
});

/** `value` with one of its leaves, or a whole branch, replaced. */
function spoilt(value: unknown, at: number, by: unknown): { value: unknown; left: number } {
  if (at === 0) return { value: by, left: -1 };
  let left = at - 1;
  if (typeof value !== "object" || value === null) return { value, left };
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
  for (const [key, item] of Object.entries(value)) {
    const next = left < 0 ? { value: item, left } : spoilt(item, left, by);
    left = next.left;
    (copy as Record<string, unknown>)[key] = next.value;
  }
  return { value: copy, left };
}

it("and of what is left when any value is replaced", () => {
  const replacement = fc.constantFrom(
    null,
    "",
    "text",
    -1,
    0,
    2.5,
    true,
    [],
    {},
    ["a"],
    "5m",
    "${X}",
  );
  fc.assert(
    fc.property(fc.constantFrom(...documents), fc.nat(120), replacement, (document, at, by) => {
      const { value } = spoilt(document, at + 1, by);
      const schema = schemaOf(document);
      expect(passesSchema(schema, value)).toBe(schema.safeParse(value).success);
    }),
    { numRuns: 1_000 },
  );
});
