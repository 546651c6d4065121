import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { codesInSources } from "./error-codes.ts";

const PAGE = path.resolve(import.meta.dirname, "../docs/errors.md");

const rows = readFileSync(PAGE, "utf8")
  .split("\n")
  .flatMap((line) => {
    const [, code, happened, remedy] = /^\| `([^`]+)` \| (.+?) \| (.+) \|$/.exec(line) ?? [];
    return code === undefined ? [] : [{ code, happened, remedy }];
  });

test("docs/errors.md has the codes that the sources use, all of them and no others", () => {
  const used = codesInSources();
  const described = new Set(rows.map(({ code }) => code));
  const missing = [...used].filter(([code]) => !described.has(code));
  expect(missing.map(([code, files]) => `${code} of ${[...files].join(", ")}`)).toEqual([]);
  expect([...described].filter((code) => !used.has(code))).toEqual([]);
  expect(used.size).toBeGreaterThan(200);
});

test("each code stands once, in order", () => {
  const codes = rows.map(({ code }) => code);
  const kinds = [codes.filter((it) => /^[A-Z]/.test(it)), codes.filter((it) => /^[a-z]/.test(it))];
  for (const kind of kinds) expect(kind).toEqual([...new Set(kind)].sort());
});
