import type { Actor, Logger, Source } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { inUse } from "../apply/in-use.ts";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  topologyOf,
} from "../process/process-fixture.ts";
import { endOf } from "../telemetry/end-of.ts";
import { eventLog } from "../telemetry/event-log.ts";

/** A source that answers its first poll with `page`, and the next ones as it should. */
function polledOnce(page: unknown): Source & { readonly checkpoints: (string | null)[] } {
  const checkpoints: (string | null)[] = [];
  return {
    checkpoints,
    async *poll(checkpoint) {
      checkpoints.push(checkpoint);
      if (checkpoints.length === 1) yield page as never;
      else yield { events: [], checkpoint: "good" };
    },
  };
}

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["text", "page"],
  ["no checkpoint", { events: [] }],
  ["a checkpoint that is none", { events: [], checkpoint: 3 }],
  ["no list", { events: "none", checkpoint: "moved" }],
  ["no events in the list", { events: [null], checkpoint: "moved" }],
  ["events without a payload", { events: [{ provenance: {} }], checkpoint: "moved" }],
])(
  "a page of a poll that is %s is the source's error, and moves no checkpoint",
  async (_, page) => {
    const source = polledOnce(page);
    const parts = {
      sources: { ill: source, hook: jsonWebhook() },
      actors: { agent: recordingActor() },
    };
    const topology = topologyOf(parts, [route("r", "hook", "agent")], { poll: { ill: "20ms" } });
    const process = await startFixture(topology, parts);
    const error = await process.entry("source.error");
    expect(error).toMatchObject({ source: "ill", metadata: { by: "source" } });
    await eventually(() => expect(source.checkpoints.slice(0, 2)).toEqual([null, null]));
    await process.post("/webhook/hook", { n: 1 });
    await parts.actors.agent.until(1);
  },
);

test.each<[string, Source["nextPoll"]]>([
  [
    "throws",
    () => {
      throw new Error("no hint");
    },
  ],
  ["is no number", () => "soon" as never],
  ["is NaN", () => Number.NaN],
])("a hint of the next poll that %s counts for nothing", async (_, nextPoll) => {
  let polls = 0;
  const source: Source = {
    async *poll() {
      polls += 1;
      yield* [];
    },
    ...(nextPoll !== undefined && { nextPoll }),
  };
  const parts = { sources: { ill: source }, actors: { agent: recordingActor() } };
  const topology = topologyOf(parts, [route("r", "ill", "agent")], { poll: { ill: "50ms" } });
  await startFixture(topology, parts);
  await eventually(() => expect(polls).toBeGreaterThan(2));
  expect(polls).toBeLessThan(100);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["an object", { payload: {} }],
  ["a list of nothing", [null]],
  ["events without a payload", [{ provenance: {} }]],
  ["events with an id that is none", [{ id: "x", provenance: {}, payload: {} }]],
])(
  "a webhook of which its source makes %s is answered 500, and nothing is kept",
  async (_, drafts) => {
    const ill: Source = { receive: async () => drafts as never };
    const parts = { sources: { ill, hook: jsonWebhook() }, actors: { agent: recordingActor() } };
    const process = await startFixture(topologyOf(parts, [route("r", "hook", "agent")]), parts);
    expect((await process.post("/webhook/ill", {})).status).toBe(500);
    expect(process.status().unacked).toBe(0);
    expect((await process.post("/webhook/hook", { n: 1 })).status).toBe(200);
  },
);

test.each<[string, Actor["deliver"]]>([
  [
    "throws at once",
    () => {
      throw new Error("at once");
    },
  ],
  ["rejects with nothing", () => Promise.reject(undefined)],
  ["rejects with an object", () => Promise.reject({ code: 7, message: {} })],
])("an actor that %s harms its own route only", async (_, deliver) => {
  const good = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { ill: { deliver }, good } };
  const retry = { ...route("x", "hook", "ill").delivery.retry, max_attempts: 1 };
  const routes = [route("ill", "hook", "ill", { retry }), route("good", "hook", "good")];
  const process = await startFixture(topologyOf(parts, routes), parts);
  await process.post("/webhook/hook", { n: 1 });
  await good.until(1);
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 1 }));
});

test.each<unknown>([null, 7, "fine", { status: "unheard of" }, { status: 500 }])(
  "an actor that answers %j has the event",
  async (receipt) => {
    const deliver = async () => receipt as never;
    const parts = { sources: { hook: jsonWebhook() }, actors: { agent: { deliver } } };
    const process = await startFixture(topologyOf(parts, [route("r", "hook", "agent")]), parts);
    await process.post("/webhook/hook", { n: 1 });
    expect(await process.entry("deliver.success")).toMatchObject({ result: "delivered" });
    await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 0 }));
  },
);

test("what throws, rejects or never ends when it is closed does not keep the process", async () => {
  const throws = () => {
    throw new Error("at once");
  };
  const rejects = () => Promise.reject(new Error("late"));
  const open = new Set<never>();
  for (const close of [throws, rejects]) await inUse({ close }, open).close();
  expect(open.size).toBe(0);
  await endOf(() => new Promise(() => {}), 1);
});

test("a logger that throws, or rejects, is heard of by nobody; not when it is closed, either", async () => {
  const loggers: Logger[] = [
    {
      log() {
        throw new Error("at once");
      },
      flush() {
        throw new Error("at once");
      },
    },
    {
      log: (async () => {
        throw new Error("late");
      }) as Logger["log"],
      close: () => Promise.reject(new Error("late")),
    },
  ];
  const entries: string[] = [];
  const log = eventLog({
    loggers,
    onEntry: ({ phase }) => entries.push(phase),
    level: "debug",
    project: "p",
    workspace: "w",
    mask: (text) => text,
    now: () => 0,
  });
  log.log({ phase: "system.error" });
  await log.close();
  expect(entries).toEqual(["system.error"]);
});
