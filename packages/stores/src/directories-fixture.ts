import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreHarness } from "@orgloop/testkit";
import { afterAll, beforeAll } from "vitest";

/**
 * Directories for the tests of a file, gone after the last; and a harness whose stores have one
 * each.
 */
export function inDirectories<Store extends object>(
  name: string,
  open: (dir: string) => Store | Promise<Store>,
): StoreHarness<Store> & { readonly fresh: () => Promise<string> } {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), `orgloop-${name}-`));
  });
  afterAll(() => rm(root, { recursive: true }));

  const dirs = new WeakMap<object, string>();
  async function openIn(dir: string): Promise<Store> {
    const store = await open(dir);
    dirs.set(store, dir);
    return store;
  }
  const fresh = () => mkdtemp(join(root, "dir-"));
  return {
    name,
    fresh,
    open: async () => openIn(await fresh()),
    reopen: (store) => openIn(dirs.get(store) as string),
  };
}
