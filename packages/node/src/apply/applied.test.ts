import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { topologyHash } from "@orgloop/config";
import type { Source, Topology } from "@orgloop/sdk";
import { readAppliedState } from "@orgloop/stores";
import { expect, onTestFinished, test } from "vitest";
import { startFixture, temporaryDir, topologyOf } from "../process/process-fixture.ts";

/** A source that yields one page; `seen` are the checkpoints that its polls got. */
function feed(): Source & { readonly seen: (string | null)[] } {
  const seen: (string | null)[] = [];
  return {
    seen,
    async *poll(checkpoint) {
      seen.push(checkpoint);
      yield { events: [], checkpoint: "42" };
    },
  };
}

async function run(dataDir: string, sources: Record<string, Source>, topology?: Topology) {
  const process = await startFixture(
    topology ?? topologyOf({ sources }, []),
    { sources },
    { dataDir },
  );
  await expect
    .poll(() => process.status().sources.every(({ checkpoint }) => checkpoint === "42"))
    .toBe(true);
  await process.drain();
}

test("a start makes what it runs the applied state; the serial counts the changes", async () => {
  const dataDir = await temporaryDir();
  const one = topologyOf({ sources: { one: feed() } }, []);
  const served = { ...one, defaults: { ...one.defaults, log_level: "debug" as const } };
  await run(dataDir, { one: feed() });
  const first = await readAppliedState(dataDir);
  expect(first).toMatchObject({ serial: 1, hash: topologyHash(served), topology: served });
  await run(dataDir, { one: feed() });
  expect(await readAppliedState(dataDir)).toEqual(first);
  await run(dataDir, { one: feed(), two: feed() });
  expect(await readAppliedState(dataDir)).toMatchObject({
    serial: 2,
    topology: { sources: [{ id: "one" }, { id: "two" }] },
  });
});

test("a source that was removed starts anew when it comes back, the others go on where they were", async () => {
  const dataDir = await temporaryDir();
  await run(dataDir, { one: feed(), two: feed() });
  await run(dataDir, { one: feed() });
  const [one, two] = [feed(), feed()];
  await run(dataDir, { one, two });
  expect([one.seen[0], two.seen[0]]).toEqual(["42", null]);
});

test("a source that another connector takes over starts anew", async () => {
  const dataDir = await temporaryDir();
  await run(dataDir, { one: feed() });
  const other = feed();
  const topology = topologyOf({ sources: { one: other } }, []);
  const [source] = topology.sources;
  const moved = {
    ...topology,
    sources: [{ ...source, id: "one", connector: "test/source/two", config: {} }],
  };
  await run(dataDir, { one: other, two: other }, moved);
  expect(other.seen[0]).toBeNull();
});

test("a start that fails applies nothing", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const dataDir = await temporaryDir();
  const failed = startFixture(topologyOf({}, []), {}, { dataDir, port });
  await expect(failed).rejects.toMatchObject({ code: "PORT_IN_USE" });
  expect(await readAppliedState(dataDir)).toBeNull();
});

test("a state that cannot be read stops the start, and nothing stays open", async () => {
  const dataDir = await temporaryDir();
  await run(dataDir, { one: feed() });
  await writeFile(join(dataDir, "state.json"), "{");
  await expect(startFixture(topologyOf({}, []), {}, { dataDir })).rejects.toMatchObject({
    code: "STATE_UNREADABLE",
  });
});
