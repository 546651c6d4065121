import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OrgLoopEvent } from "@orgloop/sdk";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileActorConfig } from "./config.ts";
import { fileActor } from "./file-actor.ts";
import connector from "./index.ts";

let parent: string;
let projectDir: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "orgloop-file-"));
  projectDir = join(parent, "project");
  await mkdir(projectDir);
});
afterEach(() => rm(parent, { recursive: true }));

const eventOf = (id: string, payload = {}): OrgLoopEvent => ({
  id,
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "s",
  type: "resource.changed",
  provenance: { platform: "webhook" },
  payload,
  trace_id: "trc_1",
});

async function open(config: Record<string, unknown>) {
  const actor = await fileActor(fileActorConfig.parse(config), { projectDir });
  const { signal } = new AbortController();
  const context = { route: "r", config: {}, attempt: 1, replay: 0, signal };
  return (event: OrgLoopEvent) => actor.deliver(event, context);
}

const lines = async (path: string) => (await readFile(path, "utf8")).split("\n").slice(0, -1);

describe("file actor", () => {
  it("appends one line of JSON an event, in folders that it creates", async () => {
    const deliver = await open({ path: "out/deep/events.jsonl" });
    const first = eventOf("evt_1", { text: "two\nlines \u2028 ü" });
    await expect(deliver(first)).resolves.toEqual({ status: "delivered" });
    await deliver(eventOf("evt_2"));
    const written = await lines(join(projectDir, "out/deep/events.jsonl"));
    expect(written.map((line) => JSON.parse(line))).toEqual([first, eventOf("evt_2")]);
    expect(connector.id).toBe("file");
  });

  it("never mixes concurrent events, also of two actors on one file, and keeps each one's order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(300_000), { maxLength: 12 }), async (sizes) => {
        const path = join(await mkdtemp(join(parent, "run-")), "shared.jsonl");
        const actors = [await open({ path }), await open({ path, fsync: false })];
        const events = sizes.map((size, n) => eventOf(`evt_${n}`, { text: "x".repeat(size) }));
        await Promise.all(events.map((event, n) => actors[n % 2]?.(event)));
        const ids =
          sizes.length === 0 ? [] : (await lines(path)).map((line) => JSON.parse(line).id);
        expect(ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
        for (const rest of [0, 1]) {
          const own = (id: string) => Number(id.slice(4)) % 2 === rest;
          expect(ids.filter(own)).toEqual(events.map(({ id }) => id).filter(own));
        }
      }),
      { numRuns: 15 },
    );
  });

  it("begins a new line after one that a crash cut", async () => {
    const path = join(projectDir, "e.jsonl");
    await appendFile(path, '{"id":"evt_0"}\n{"id":"ev');
    await (await open({ path: "e.jsonl" }))(eventOf("evt_1"));
    const [whole, cut, next] = await lines(path);
    expect([whole, cut]).toEqual(['{"id":"evt_0"}', '{"id":"ev']);
    expect(JSON.parse(next ?? "")).toEqual(eventOf("evt_1"));
  });

  it("goes on in a new file after the old one was rotated away", async () => {
    const deliver = await open({ path: "e.jsonl" });
    await deliver(eventOf("evt_1"));
    await rename(join(projectDir, "e.jsonl"), join(projectDir, "e.1.jsonl"));
    await deliver(eventOf("evt_2"));
    expect(await lines(join(projectDir, "e.jsonl"))).toHaveLength(1);
  });

  it("rejects every event that it could not write, and works again when it can", async () => {
    const deliver = await open({ path: "blocked/e.jsonl" });
    await writeFile(join(projectDir, "blocked"), "");
    const outcomes = await Promise.allSettled([
      deliver(eventOf("evt_1")),
      deliver(eventOf("evt_2")),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await rm(join(projectDir, "blocked"));
    await deliver(eventOf("evt_3"));
    expect(await lines(join(projectDir, "blocked/e.jsonl"))).toHaveLength(1);
  });

  it("does not write what was aborted before", async () => {
    const actor = await fileActor(fileActorConfig.parse({ path: "e.jsonl" }), { projectDir });
    const context = { route: "r", config: {}, attempt: 1, replay: 0, signal: AbortSignal.abort() };
    await expect(actor.deliver(eventOf("evt_1"), context)).rejects.toThrow();
  });
});

describe("the path", () => {
  it.each(["../out.jsonl", "a/../../out.jsonl", ".", "link/out.jsonl", "link/new/out.jsonl"])(
    "%s is refused: it leads out of the project",
    async (path) => {
      await symlink(parent, join(projectDir, "link"));
      await expect(open({ path })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    },
  );

  it("may not be a link to a file that does not exist", async () => {
    await symlink(join(parent, "secret"), join(projectDir, "dangling"));
    await expect(open({ path: "dangling" })).rejects.toThrow();
  });

  it("may be absolute, and may stay inside by a link", async () => {
    const path = join(parent, "outside.jsonl");
    await (await open({ path }))(eventOf("evt_1"));
    expect(await lines(path)).toHaveLength(1);
    await mkdir(join(projectDir, "real"));
    await symlink("real", join(projectDir, "alias"));
    await (await open({ path: "alias/e.jsonl" }))(eventOf("evt_1"));
    expect(await lines(join(projectDir, "real/e.jsonl"))).toHaveLength(1);
  });

  it("may not be where the system makes no folders: that is said at once", async () => {
    const deliver = await open({ path: "/proc/self/none/deeper/e.jsonl" });
    await expect(deliver(eventOf("evt_1"))).rejects.toMatchObject({
      code: "FOLDER_NOT_MADE",
      message: expect.stringContaining("/proc/self/none"),
    });
  });
});
