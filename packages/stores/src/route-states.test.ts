import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLOSED_BREAKER } from "@orgloop/sdk";
import { routeStateSuite } from "@orgloop/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileRouteStates } from "./file-route-states.ts";
import { memoryRouteStates } from "./memory-stores.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "orgloop-route-states-"));
});
afterAll(() => rm(root, { recursive: true }));

const files = new WeakMap<object, string>();
async function openAt(file: string) {
  const store = await fileRouteStates({ file });
  files.set(store, file);
  return store;
}

routeStateSuite({ name: "memoryRouteStates", open: async () => memoryRouteStates() });
routeStateSuite({
  name: "fileRouteStates",
  open: async () => openAt(join(await mkdtemp(join(root, "dir-")), "made/route-state.jsonl")),
  reopen: (store) => openAt(files.get(store) as string),
});

test("the JSON file of the release before is taken over, once", async () => {
  const dir = await mkdtemp(join(root, "dir-"));
  const file = join(dir, "route-state.jsonl");
  const state = { circuit: null, rateMs: 5 };
  await writeFile(join(dir, "route-state.json"), JSON.stringify({ routes: { a: state } }));
  const store = await fileRouteStates({ file });
  expect(await store.load()).toEqual(new Map([["a", { breaker: CLOSED_BREAKER, rateMs: 5 }]]));
  await store.save("a", null);
  await store.close?.();
  expect(await readdir(dir)).not.toContain("route-state.json");
  expect(await (await fileRouteStates({ file })).load()).toEqual(new Map());
});

test.each(["", "{", "null", "[]", '{"routes":7}', '{"routes":{"a":{"circuit":{}}}}'])(
  "a JSON file that holds %j keeps nothing from starting",
  async (contents) => {
    const dir = await mkdtemp(join(root, "dir-"));
    const file = join(dir, "route-state.jsonl");
    await writeFile(join(dir, "route-state.json"), contents);
    const store = await fileRouteStates({ file });
    expect(await store.load()).toEqual(new Map());
    await store.save("a", { breaker: CLOSED_BREAKER, rateMs: 1 });
    expect(await (await fileRouteStates({ file })).load()).toHaveProperty("size", 1);
  },
);
