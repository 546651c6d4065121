import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeFileSystem } from "@orgloop/files";
import type { ClaimStore } from "@orgloop/sdk";
import { claimSuite } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import { inDirectories } from "./directories-fixture.ts";
import { fileClaims } from "./file-claims.ts";

const harness = inDirectories<ClaimStore>("fileClaims", (dir) => fileClaims({ dir }));
const { fresh } = harness;

claimSuite(harness);

describe("the file", () => {
  test("a torn tail is cut; what stands before it counts", async () => {
    const dir = await fresh();
    const store = await fileClaims({ dir });
    await store.claim("a", "evt_1", 100, 0);
    await store.close();
    await appendFile(join(dir, "claims.jsonl"), '["b","evt_1",');
    const again = await fileClaims({ dir });
    expect(await again.claim("a", "evt_2", 100, 1)).toBe(false);
    expect(await again.claim("b", "evt_2", 100, 1)).toBe(true);
    await again.close();
    expect((await readFile(join(dir, "claims.jsonl"), "utf8")).split("\n")).toHaveLength(4);
  });

  test("lines without checksums, as the release before wrote them, are taken over", async () => {
    const dir = await fresh();
    await writeFile(join(dir, "claims.jsonl"), '["a","evt_1",100]\n["b","evt_2",100]\n["c","ev');
    const store = await fileClaims({ dir });
    expect(await store.claim("a", "evt_9", 100, 1)).toBe(false);
    expect(await store.claim("b", "evt_2", 100, 1)).toBe(true);
    expect(await store.claim("c", "evt_9", 100, 1)).toBe(true);
    await store.close();
  });

  test("it is rewritten when more than half of it has expired: bounded, however many come", async () => {
    const dir = await fresh();
    const store = await fileClaims({ dir });
    for (let n = 0; n < 20_000; n += 500) {
      const keys = Array.from({ length: 500 }, (_, i) => `key ${n + i}`);
      await Promise.all(keys.map((key) => store.claim(key, "evt_1", 1_000, n)));
      await store.written();
    }
    await store.claim("long", "evt_1", 1_000_000, 20_000);
    await store.close();
    expect((await stat(join(dir, "claims.jsonl"))).size).toBeLessThan(200_000);
    const again = await fileClaims({ dir });
    expect(await again.claim("long", "evt_2", 1, 20_001)).toBe(false);
    expect(await again.claim("key 19999", "evt_2", 1, 20_001)).toBe(false);
    expect(await again.claim("key 1", "evt_2", 1, 20_001)).toBe(true);
    await again.close();
  });

  test("what was claimed survives a kill once it is written, and is written together", async () => {
    const dir = await fresh();
    const writes: number[] = [];
    const fileSystem: typeof nodeFileSystem = {
      ...nodeFileSystem,
      async open(path, mode) {
        const file = await nodeFileSystem.open(path, mode);
        if (!path.endsWith("claims.jsonl")) return file;
        return {
          ...file,
          write: async (bytes, position) => {
            writes.push(bytes.length);
            return file.write(bytes, position);
          },
        };
      },
    };
    const store = await fileClaims({ dir, fileSystem });
    const keys = Array.from({ length: 100 }, (_, n) => `key ${n}`);
    for (const key of keys) await store.claim(key, "evt_1", 1_000, 0);
    await store.written();
    expect(writes.length).toBeLessThan(10);
    const afterKill = await fileClaims({ dir });
    for (const key of keys) expect(await afterKill.claim(key, "evt_2", 1_000, 1)).toBe(false);
    await afterKill.close();
  });

  test("a full disk is said once and fails no claim", async () => {
    let full = true;
    const warnings: string[] = [];
    const store = await fileClaims({
      dir: await fresh(),
      warn: (message) => warnings.push(message),
      fileSystem: {
        ...nodeFileSystem,
        open: async (path, mode) => {
          const file = await nodeFileSystem.open(path, mode);
          return { ...file, write: async (...args) => (full ? 0 : file.write(...args)) };
        },
      },
    });
    expect(await store.claim("a", "evt_1", 100, 0)).toBe(true);
    expect(await store.claim("a", "evt_2", 100, 0)).toBe(false);
    expect(await store.claim("b", "evt_1", 100, 0)).toBe(true);
    await store.written();
    expect(warnings).toEqual([expect.stringContaining("claims are not written")]);
    full = false;
    await store.claim("c", "evt_1", 100, 0);
    await store.written();
    full = true;
    await store.claim("d", "evt_1", 100, 0);
    await store.written();
    expect(warnings).toHaveLength(2);
    await store.close();
  });
});
