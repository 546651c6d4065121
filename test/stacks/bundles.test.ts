import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BundleLookup, bundleFunctions, bundleSize } from "@orgloop/stacks";
import { afterAll, beforeAll, expect, test } from "vitest";

const WEBHOOK = ["@orgloop/connector-webhook"];
const GITHUB = ["@orgloop/connector-github"];
const TRANSFORMS = ["dedup", "enrich", "filter", "script"].map((it) => `@orgloop/transform-${it}`);
const WANTED = [
  ["poll", GITHUB],
  ["receive", WEBHOOK],
  ["route", TRANSFORMS],
  ["deliver", WEBHOOK],
  ["record", []],
  ["empty", []],
] as const;

const directory = await mkdtemp(path.join(tmpdir(), "orgloop-bundles-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

const bundled = (folder: string) =>
  bundleFunctions({
    functionsDir: path.resolve(import.meta.dirname, "../../functions"),
    outDir: path.join(directory, folder),
    entry: (name) => path.resolve(import.meta.dirname, "../..", sourceOf(name)),
    scripts: new Map([["scripts/triage.sh", new TextEncoder().encode("#!/bin/sh\ncat\n")]]),
    wanted: WANTED,
  });

/** Where a plugin of ours lies. */
function sourceOf(name: string): string {
  const [, group, id] = /^@orgloop\/(connector|transform)-(\w+)$/.exec(name) ?? [];
  return `packages/${group}s/${id}/src/index.ts`;
}

let bundles: BundleLookup;
beforeAll(async () => {
  bundles = await bundled("first");
});

test("a function is under 1 MB; of router and deliver function a cold start loads under 400 KB", () => {
  const sizes = WANTED.map(([kind, packages]) => ({
    kind,
    ...bundleSize(bundles(kind, packages)),
  }));
  expect(sizes.filter(({ all }) => all >= 1_000_000)).toEqual([]);
  const busy = sizes.filter(({ kind }) => kind === "route" || kind === "deliver");
  expect(busy.filter(({ start }) => start >= 400_000)).toEqual([]);
});

test("the same sources make the same bundle: a deploy without changes changes nothing", async () => {
  const again = await bundled("again");
  for (const [kind, packages] of WANTED) {
    const [left, right] = [bundles(kind, packages), again(kind, packages)];
    const files = (await readdir(left)).filter((name) => name.endsWith(".mjs"));
    expect((await readdir(right)).filter((name) => name.endsWith(".mjs"))).toEqual(files);
    for (const name of files) {
      const texts = await Promise.all(
        [left, right].map((it) => readFile(path.join(it, name), "utf8")),
      );
      expect(texts[0]).toBe(texts[1]);
    }
  }
});

test("the router has the project's scripts beside its code, where transforms look for them", async () => {
  const script = path.join(bundles("route", TRANSFORMS), "project/scripts/triage.sh");
  expect(await readFile(script, "utf8")).toBe("#!/bin/sh\ncat\n");
});

test("a bundle says what is wrong with a configuration in words", async () => {
  expect(await bundleText(bundles("deliver", WEBHOOK))).toContain("Invalid input: expected");
});

async function bundleText(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".mjs"));
  return (await Promise.all(files.map((name) => readFile(path.join(folder, name), "utf8")))).join(
    "\n",
  );
}
