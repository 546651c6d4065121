import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");

test("the code in docs/extending.md is the code of the files that it names", () => {
  const page = readFileSync(path.join(ROOT, "docs/extending.md"), "utf8");
  const shown = [...page.matchAll(/`([\w./-]+)`:\n\n```ts\n([\s\S]*?)```\n/g)];
  const files = shown.map(([, file = ""]) => readFileSync(path.join(ROOT, file), "utf8"));
  expect(shown.map(([, , code]) => code)).toEqual(files);
  expect(page.split("```ts").length - 1).toBe(shown.length);
});
