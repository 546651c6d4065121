import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { routeStateSuite } from "@orgloop/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileRouteStates } from "./file-route-states.ts";
import { memoryRouteStates } from "./memory-route-states.ts";

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
  open: async () => openAt(join(await mkdtemp(join(root, "dir-")), "made/route-state.json")),
  reopen: (store) => openAt(files.get(store) as string),
});

test.each(["", "{", "null", "[]", '{"routes":7}', '{"routes":{"a":{"circuit":{}}}}'])(
  "a file that holds %j keeps nothing from starting",
  async (contents) => {
    const file = join(await mkdtemp(join(root, "dir-")), "route-state.json");
    await writeFile(file, contents);
    const store = await fileRouteStates({ file });
    expect(await store.load()).toEqual(new Map());
    await store.save("a", { circuit: null, rateMs: 1 });
    expect(await (await fileRouteStates({ file })).load()).toHaveProperty("size", 1);
  },
);
