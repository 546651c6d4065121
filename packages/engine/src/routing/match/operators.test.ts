import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { foldCase } from "./keys.ts";
import { EQUALS, OPERATORS } from "./operators.ts";
import { caseBlind } from "./text-tests.ts";

test("docs/configuration.md has each operator with what it takes", () => {
  const page = readFileSync(
    new URL("../../../../../docs/configuration.md", import.meta.url),
    "utf8",
  );
  const rows = page.split("\n").filter((line) => line.startsWith("| "));
  const taken = (cell: string) => rows.find((row) => row.split(" | ")[0]?.includes(cell));
  expect(taken("a value")).toContain(EQUALS.takes);
  for (const [name, { takes }] of Object.entries(OPERATORS)) {
    expect(taken(`\`${name}\``)).toContain(takes.replaceAll("|", "\\|"));
  }
});

test("what equals-ignore-case takes for the same folds to the same, of every character", () => {
  const different: string[] = [];
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const char = String.fromCodePoint(code);
    for (const form of [char.toLowerCase(), char.toUpperCase()]) {
      if (foldCase(form) !== foldCase(char)) different.push(char);
    }
  }
  expect(different).toEqual([]);
  expect(caseBlind("straße", "whole")("STRASSE")).toBe(true);
});
