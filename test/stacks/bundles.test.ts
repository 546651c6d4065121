import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { type BundleLookup, bundleFunctions, bundleSize } from "@orgloop/stacks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveTest } from "../serve-test.ts";

const run = promisify(execFile);
const WEBHOOK = ["@orgloop/connector-webhook"];
const GITHUB = ["@orgloop/connector-github"];
const TRANSFORMS = ["dedup", "enrich", "filter", "script"].map((it) => `@orgloop/transform-${it}`);
const ACTORS = ["console", "eventbridge", "exec", "file"].map((it) => `@orgloop/connector-${it}`);
const WANTED = [
  ["poll", GITHUB],
  ["receive", WEBHOOK],
  ["route", TRANSFORMS],
  ["deliver", WEBHOOK],
  ...ACTORS.map((name) => ["deliver", [name]] as const),
  ["history", []],
  ["sweep", []],
  ["record", []],
  ["empty", []],
] as const;
type Wanted = Parameters<typeof bundleFunctions>[0]["wanted"];

const directory = await mkdtemp(path.join(tmpdir(), "orgloop-bundles-"));
afterAll(() => rm(directory, { recursive: true, force: true }));

const bundled = (folder: string, { jq = false, schemas = false, wanted = WANTED as Wanted } = {}) =>
  bundleFunctions({
    functionsDir: path.resolve(import.meta.dirname, "../../functions"),
    outDir: path.join(directory, folder),
    entry: (name) => path.resolve(import.meta.dirname, "../..", sourceOf(name)),
    scripts: new Map([["scripts/triage.sh", new TextEncoder().encode("#!/bin/sh\ncat\n")]]),
    jq,
    schemas,
    wanted,
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

test("the whole of a function is under 1 MB", () => {
  const sizes = WANTED.map(([kind, packages]) => ({
    kind,
    packages,
    ...bundleSize(bundles(kind, packages)),
  }));
  expect(sizes.filter(({ all }) => all >= 1_000_000)).toEqual([]);
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

/** What a function finds in its environment, as far as it reads it when it is loaded. */
const SPECS = {
  poll: { project: "small", sources: [] },
  receive: { project: "small", sources: [] },
  route: { topology: { defaults: {}, sources: [], routes: [], transforms: [] }, hash: "h" },
  deliver: { actors: [] },
  history: {},
  sweep: {},
  record: {},
  empty: {},
};

test("every bundle is loaded by a Node of its own", async () => {
  const none = "none";
  // A state table in which nothing stands: the router reads it when it starts.
  const table = createServer((request, response) => {
    request.resume().on("end", () => response.end("{}"));
  });
  const endpoint = `http://127.0.0.1:${await serveTest(table)}`;
  for (const [kind, packages] of WANTED) {
    const { stdout } = await run(
      process.execPath,
      ["-e", `import(process.env.MODULE).then(({ handler }) => console.log(typeof handler))`],
      {
        env: {
          MODULE: path.join(bundles(kind, packages), "index.mjs"),
          AWS_REGION: "eu-west-1",
          AWS_ENDPOINT_URL: endpoint,
          AWS_ACCESS_KEY_ID: none,
          AWS_SECRET_ACCESS_KEY: none,
          ORGLOOP_STAGE: "production",
          ORGLOOP_PROJECT: "small",
          ORGLOOP_TABLE: none,
          ORGLOOP_BUCKET: none,
          ORGLOOP_BUS_URL: none,
          ORGLOOP_SECRET_PREFIX: none,
          ORGLOOP_SPEC: JSON.stringify(SPECS[kind]),
        },
      },
    );
    expect([kind, stdout.trim()]).toEqual([kind, "function"]);
  }
});

test("the router has the project's scripts beside its code, where transforms look for them", async () => {
  const script = path.join(bundles("route", TRANSFORMS), "project/scripts/triage.sh");
  expect(await readFile(script, "utf8")).toBe("#!/bin/sh\ncat\n");
});

test("the router has jq where a filter asks for it, and else not", async () => {
  const lookup = await bundled("jq", { jq: true, wanted: [["route", TRANSFORMS]] });
  const folder = lookup("route", TRANSFORMS);
  expect(await bundleText(folder)).toMatch(/new URL\("\.\/jq-worker\.mjs",import\.meta\.url\)/);
  const worker = new Worker(path.join(folder, "jq-worker.mjs"));
  worker.postMessage({ input: '{"number":42}', expression: ".number == 42" });
  const [reply] = await once(worker, "message");
  await worker.terminate();
  expect(reply).toMatchObject({ stdout: expect.stringMatching(/^true/), exitCode: 0 });
  expect(await readdir(bundles("route", TRANSFORMS))).not.toContain("jq-worker.mjs");
});

test("what takes events in has a compiler of schemas where a source has one, loaded for it", async () => {
  const lookup = await bundled("schemas", { schemas: true, wanted: [["receive", WEBHOOK]] });
  const [without, size] = [bundles, lookup].map((of) => bundleSize(of("receive", WEBHOOK)));
  expect(size?.start).toBeLessThan((without?.start ?? 0) + 20_000);
  expect((size?.all ?? 0) - (without?.all ?? 0)).toBeGreaterThan(200_000);
  expect(await bundleText(lookup("receive", WEBHOOK))).not.toContain("engine/event-schemas");
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
