import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isCurrent } from "../../bin/is-current.js";

let root: string;
let dist: string;
let source: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "orgloop-bundle-"));
  dist = path.join(root, "dist");
  source = path.join(root, "src.ts");
  mkdirSync(dist);
  writeFileSync(source, "export {};\n");
  const { mtimeMs } = statSync(source);
  writeFileSync(path.join(dist, "sources.json"), JSON.stringify({ "src.ts": mtimeMs }));
});
afterEach(() => rmSync(root, { recursive: true }));

test("a bundle is current as long as no source changes", () => {
  expect(isCurrent(dist, root)).toBe(true);
  utimesSync(source, 1, 1);
  expect(isCurrent(dist, root)).toBe(false);
});

test("where a source is gone, or there is no bundle, there is no current one", () => {
  expect(isCurrent(path.join(root, "other"), root)).toBe(false);
  rmSync(source);
  expect(isCurrent(dist, root)).toBe(false);
});
