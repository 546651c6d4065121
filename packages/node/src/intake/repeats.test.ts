import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventDraft, OrgLoopEvent, Source, SourceSpec, Topology } from "@orgloop/sdk";
import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import {
  eventually,
  type Fixture,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";

interface Answer {
  readonly event_ids: readonly string[];
  readonly repeats?: readonly string[];
}

async function send(process: Fixture, body: unknown): Promise<Answer> {
  const answer = await process.post("/webhook/hook", body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

function world(
  source: Partial<SourceSpec> = {},
  { bus = "file", act = () => {} }: { bus?: string; act?: (one: OrgLoopEvent) => unknown } = {},
) {
  const agent = recordingActor(async (one) => void (await act(one)));
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const base = topologyOf(parts, [route("all", "hook", "agent")], { bus });
  const topology: Topology = {
    ...base,
    sources: base.sources.map((one) => ({ ...one, ...source })),
  };
  return { agent, parts, topology };
}

const settled = (process: Fixture): Promise<void> =>
  eventually(() => expect(process.status().unacked).toBe(0));

test.each(["memory", "file"])(
  "on a bus in %s: what its sender sends again is answered, counted, logged, and not routed",
  async (bus) => {
    const { agent, parts, topology } = world({}, { bus });
    const process = await startFixture(topology, parts);
    const first = await send(process, { identity: "d-1", n: 1 });
    await settled(process);
    const second = await send(process, { identity: "d-1", n: 1 });
    expect(first.repeats).toBeUndefined();
    expect(second.event_ids).toEqual(first.event_ids);
    expect(second.repeats).toEqual(first.event_ids);
    await send(process, { identity: "d-2", n: 1 });
    await agent.until(2);
    await settled(process);
    expect(agent.got).toHaveLength(2);
    expect(process.entries.filter(({ phase }) => phase === "source.repeat")).toMatchObject([
      {
        source: "hook",
        event_id: first.event_ids[0],
        result: expect.stringContaining("orgloop replay"),
      },
    ]);
    expect(process.status().sources).toMatchObject([{ id: "hook", events: 2, repeats: 1 }]);
    const metrics = await (await process.get("/metrics")).text();
    expect(metrics).toContain('orgloop_source_repeats_total{source="hook"} 1');
  },
);

test("ids that nobody gave are made, and never known again", async () => {
  const { agent, parts, topology } = world();
  const process = await startFixture(topology, parts);
  for (let n = 0; n < 3; n += 1) expect((await send(process, { n: 1 })).repeats).toBeUndefined();
  await agent.until(3);
  expect(process.status().repeats.ids).toBe(0);
});

test("of two at once the second waits, and is a repeat only if the first was kept", async () => {
  const { agent, parts, topology } = world();
  let refuse = true;
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const process = await startFixture(topology, parts, {
    async openBus({ now }) {
      const { memoryBus } = await import("@orgloop/bus/memory");
      const bus = memoryBus();
      expect(now).toBeDefined();
      return {
        ...bus,
        async publishAll(events) {
          if (refuse) {
            refuse = false;
            reached.resolve();
            await gate.promise;
            throw Object.assign(new Error("ENOSPC: no space"), { code: "ENOSPC" });
          }
          return bus.publishAll(events);
        },
      };
    },
  });
  const first = process.post("/webhook/hook", { identity: "d-1" });
  await reached.promise;
  const others = [1, 2, 3].map(() => send(process, { identity: "d-1" }));
  gate.resolve();
  expect((await first).status).toBe(503);
  const answers = await Promise.all(others);
  expect(answers.filter(({ repeats }) => repeats === undefined)).toHaveLength(1);
  await settled(process);
  expect(agent.got).toHaveLength(1);
});

test("the window runs from the first, and is not prolonged", async () => {
  const { agent, parts, topology } = world({ repeat_window: "1h" }, { bus: "memory" });
  const clock = fakeClock();
  const process = await startFixture(topology, parts, { ...clock });
  await send(process, { identity: "d-1" });
  await agent.until(1);
  await clock.advance(40 * 60_000);
  expect((await send(process, { identity: "d-1" })).repeats).toHaveLength(1);
  await clock.advance(40 * 60_000);
  expect((await send(process, { identity: "d-1" })).repeats).toBeUndefined();
  await agent.until(2);
});

test("an id that is used again for another body is routed under an id of its own, once", async () => {
  const { agent, parts, topology } = world();
  const process = await startFixture(topology, parts);
  const first = await send(process, { identity: "d-1", n: 1 });
  const other = await send(process, { identity: "d-1", n: 2 });
  expect(other.repeats).toBeUndefined();
  expect(other.event_ids).not.toEqual(first.event_ids);
  expect(await send(process, { identity: "d-1", n: 2 })).toMatchObject({
    repeats: other.event_ids,
  });
  expect(await send(process, { identity: "d-1", n: 1 })).toMatchObject({
    repeats: first.event_ids,
  });
  await agent.until(2);
  await settled(process);
  expect(agent.got.map(({ payload }) => payload.n)).toEqual([1, 2]);
  expect(process.entries.filter(({ phase }) => phase === "source.id_reused")).toHaveLength(1);
});

test("what no route wanted is not remembered, over a restart either", async () => {
  const { agent, parts, topology } = world();
  const dataDir = await temporaryDir();
  const without = { ...topology, routes: [] };
  const before = await startFixture(without, parts, { dataDir });
  await send(before, { identity: "d-1" });
  await settled(before);
  await send(before, { identity: "d-1" });
  await settled(before);
  await before.drain();
  const process = await startFixture(topology, parts, { dataDir });
  expect((await send(process, { identity: "d-1" })).repeats).toBeUndefined();
  await agent.until(1);
});

test("a restart knows again what was settled and what was not", async () => {
  const hold = Promise.withResolvers<void>();
  const { parts, topology } = world(
    {},
    { act: ({ payload }) => (payload.hang ? hold.promise : 0) },
  );
  const dataDir = await temporaryDir();
  const before = await startFixture(topology, parts, { dataDir, drainMs: 0 });
  await send(before, { identity: "d-1" });
  await settled(before);
  await send(before, { identity: "d-2", hang: true });
  await before.drain();
  hold.resolve();
  const after = await startFixture(topology, parts, { dataDir });
  expect((await send(after, { identity: "d-1" })).repeats).toHaveLength(1);
  expect((await send(after, { identity: "d-2", hang: true })).repeats).toHaveLength(1);
  await settled(after);
  await after.drain();
  const third = await startFixture(topology, parts, { dataDir });
  for (const identity of ["d-1", "d-2"]) {
    const body = identity === "d-1" ? { identity } : { identity, hang: true };
    expect((await send(third, body)).repeats).toHaveLength(1);
  }
});

test("what the log has let go of is in the store of repeats", async () => {
  const { agent, parts, topology } = world();
  const dataDir = await temporaryDir();
  const rotating = {
    ...topology,
    defaults: { ...topology.defaults, wal: { rotate: { max_size: "1kb", max_age: "1h" } } },
  };
  const before = await startFixture(rotating, parts, { dataDir });
  for (let n = 0; n < 40; n += 1) await send(before, { identity: `d-${n}`, text: "x".repeat(200) });
  await agent.until(40);
  await settled(before);
  await eventually(() =>
    expect(before.entries.some(({ phase }) => phase === "wal.compact")).toBe(true),
  );
  await before.drain();
  expect(
    (await readFile(join(dataDir, "repeats", "repeats.jsonl"), "utf8")).length,
  ).toBeGreaterThan(32);
  const after = await startFixture(rotating, parts, { dataDir });
  for (let n = 0; n < 40; n += 1) {
    const again = await send(after, { identity: `d-${n}`, text: "x".repeat(200) });
    expect(again.repeats).toHaveLength(1);
  }
  expect(agent.got).toHaveLength(40);
});

test("replays and injected events are no repeats", async () => {
  const { agent, parts, topology } = world();
  const process = await startFixture(topology, parts);
  const { event_ids } = await send(process, { identity: "d-1" });
  await settled(process);
  const init = { headers: { authorization: `Bearer ${TOKEN}` } };
  const id = event_ids[0] as string;
  const injected = {
    id,
    source: "hook",
    provenance: { platform: "test" },
    payload: { by: "hand" },
  };
  for (let n = 0; n < 2; n += 1) await process.post("/control/inject", injected, init);
  await agent.until(3);
  await process.post("/control/replay", { events: [id] }, init);
  await agent.until(4);
  expect(agent.got.map((one) => one.id)).toEqual([id, id, id, id]);
  expect(agent.got.map(({ replay }) => replay)).toEqual([undefined, undefined, undefined, 1]);
});

test("repeats: deliver routes it again, once the first is settled", async () => {
  const gate = Promise.withResolvers<void>();
  const started: string[] = [];
  let calls = 0;
  const { agent, parts, topology } = world(
    { repeats: "deliver" },
    {
      async act({ payload }) {
        started.push(String(payload.identity));
        calls += 1;
        if (calls === 1) await gate.promise;
      },
    },
  );
  const process = await startFixture(
    { ...topology, routes: [route("all", "hook", "agent", { order: "none" })] },
    parts,
  );
  const first = await send(process, { identity: "d-1" });
  await eventually(() => expect(started).toHaveLength(1));
  const second = await send(process, { identity: "d-1" });
  expect(second).toEqual({ ...first, ok: true, event_id: first.event_ids[0] });
  await send(process, { identity: "d-2" });
  await agent.until(1);
  expect(started).toEqual(["d-1", "d-2"]);
  gate.resolve();
  await agent.until(3);
  await settled(process);
  expect(agent.got.map(({ id }) => id)).toEqual([
    expect.any(String),
    first.event_ids[0],
    first.event_ids[0],
  ]);
});

test("a source that goes, or gets another connector, forgets its ids", async () => {
  const { agent, parts, topology } = world();
  const both = { ...parts, sources: { ...parts.sources, other: jsonWebhook() } };
  const process = await startFixture(topology, both);
  await send(process, { identity: "d-1" });
  await settled(process);
  expect((await send(process, { identity: "d-1" })).repeats).toHaveLength(1);
  const [hook] = topology.sources;
  await process.apply({
    ...topology,
    sources: [{ ...hook, connector: "test/source/other" } as SourceSpec],
  });
  expect((await send(process, { identity: "d-1" })).repeats).toBeUndefined();
  await agent.until(2);
  await settled(process);
  await process.apply({ ...topology, sources: [], routes: [] });
  await process.apply({
    ...topology,
    sources: [{ ...hook, connector: "test/source/other" } as SourceSpec],
  });
  expect((await send(process, { identity: "d-1" })).repeats).toBeUndefined();
  await agent.until(3);
});

test("a source that is polled again at a page that was published gives repeats, whatever else its payload says now", async () => {
  const agent = recordingActor();
  let polls = 0;
  const feed: Source = {
    async *poll() {
      polls += 1;
      const events: EventDraft[] = [
        { identity: "issue/7@1", provenance: { platform: "test" }, payload: { polls } },
      ];
      yield { events, checkpoint: "0" };
    },
  };
  const parts = { sources: { feed }, actors: { agent } };
  const topology = topologyOf(parts, [route("all", "feed", "agent")], {
    bus: "memory",
    poll: { feed: "20ms" },
  });
  const process = await startFixture(topology, parts);
  await eventually(() => expect(process.status().sources[0]?.repeats).toBeGreaterThan(1));
  expect(agent.got).toHaveLength(1);
});
