import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findLines, readFileLines } from "./read-lines.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "orgloop-lines-"));
});
afterAll(() => rm(directory, { recursive: true }));

const FILLER = "x".repeat(300_000);

test("finds the whole lines that hold a text, wherever a chunk of the file ends", async () => {
  const line = fc.constantFrom("", "a", "needle", "ü needle ü", `${FILLER}needle`, FILLER);
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), fc.boolean(), async (lines, isTorn) => {
      const file = path.join(directory, "lines");
      await writeFile(file, lines.map((one) => `${one}\n`).join("") + (isTorn ? "needle" : ""));
      const all = await Array.fromAsync(readFileLines(file), (read) => read.line);
      expect(all).toEqual(lines);
      const found = await Array.fromAsync(findLines(file, ["needle", "ü"]));
      expect(found).toEqual(lines.filter((one) => one.includes("needle")));
    }),
    { numRuns: 40 },
  );
  expect(await Array.fromAsync(findLines(path.join(directory, "none"), ["a"]))).toEqual([]);
});
