import { bodyHash, publicationOfReplay, reusedId } from "@orgloop/engine";
import type { OrgLoopEvent, SourceSpec } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { batchFixture, eventOf, recordOf, routeOf } from "../delivery/batch-fixture.ts";
import { eventDedupId, messageGroup } from "../plan/message-keys.ts";
import { busMessage, type Publication } from "../queue/bus-message.ts";
import type { FifoMessage, QueueMessage } from "../queue/sqs-sender.ts";
import { routeBatch } from "../routing/route-batch.ts";
import { repeatRules } from "./admit-publication.ts";
import { eventPublisher } from "./event-publisher.ts";

const remaining = () => 30_000;
type Fixture = ReturnType<typeof batchFixture>;
type Options = ReturnType<Fixture["routing"]>;

let number = 0;

async function publication(
  { objects }: Fixture,
  event: OrgLoopEvent,
  given: Partial<Publication> = {},
): Promise<FifoMessage> {
  number += 1;
  const body = bodyHash(event.payload);
  const keys = { messageGroup, eventDedupId };
  return busMessage(event, keys, objects, { id: `pub${number}`, kind: "first", body, ...given });
}

async function routed(it: Fixture, message: FifoMessage, options: Options): Promise<number> {
  const before = it.sent.length;
  const record = recordOf(message.body, message.group, it.clock.now());
  expect(await routeBatch([record], remaining, options)).toEqual({ batchItemFailures: [] });
  return it.sent.length - before;
}

const rulesOf = (source: Partial<SourceSpec>, windows = {}, lives = {}) =>
  repeatRules({
    topology: {
      sources: [{ id: "s", connector: "c", config: {}, ...source }],
      defaults: SAMPLE_DEFAULTS,
    },
    windows,
    lives,
  });

test("the first publication of an event is routed, another is a repeat: counted, logged, and in no history", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  const first = await publication(it, eventOf("1"));
  expect(await routed(it, first, options)).toBe(1);
  const objects = it.stored.size;
  expect(await routed(it, await publication(it, eventOf("1")), options)).toBe(0);
  expect(it.stored.size).toBe(objects);
  expect(it.metrics).toContainEqual(["repeats", 1]);
  expect(it.entries.filter(({ phase }) => phase === "source.repeat")).toMatchObject([
    { event_id: "evt_1", source: "s", result: expect.stringContaining("orgloop replay") },
  ]);
  // SQS brings it under another message id after a redrive.
  expect(await routed(it, first, options)).toBe(1);
  expect(it.sent[1]?.dedupId).toBe(it.sent[0]?.dedupId);
});

test("the window is the source's, its connector's, or the defaults'; it runs from the first", async () => {
  const hours: [Partial<SourceSpec>, Record<string, string>, number][] = [
    [{}, {}, 24],
    [{}, { c: "7d" }, 7 * 24],
    [{ repeat_window: "1h" }, { c: "7d" }, 1],
  ];
  for (const [source, windows, window] of hours) {
    const it = batchFixture();
    const options = { ...it.routing([routeOf()]), repeats: rulesOf(source, windows) };
    const send = async () => routed(it, await publication(it, eventOf("1")), options);
    expect(await send()).toBe(1);
    await it.clock.advance(window * 3_600_000 - 1);
    expect(await send()).toBe(0);
    await it.clock.advance(2);
    expect(await send()).toBe(1);
  }
});

test("an id that is used again for another body is routed under an id of its own, whose repeats are known, too", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  const other = { ...eventOf("1"), payload: { other: true } };
  expect(await routed(it, await publication(it, eventOf("1")), options)).toBe(1);
  expect(await routed(it, await publication(it, other), options)).toBe(1);
  expect(await routed(it, await publication(it, other), options)).toBe(0);
  expect(await routed(it, await publication(it, eventOf("1")), options)).toBe(0);
  const id = reusedId("evt_1", bodyHash(other.payload));
  expect(it.sent[1]?.body).toContain(`"id":"${id}"`);
  expect(it.entries.filter(({ phase }) => phase === "source.id_reused")).toMatchObject([
    { event_id: id },
  ]);
});

test("what no route wants is not remembered", async () => {
  const it = batchFixture();
  const nobody = it.routing([]);
  for (let n = 0; n < 2; n += 1) {
    expect(await routed(it, await publication(it, eventOf("1")), nobody)).toBe(0);
  }
  expect(it.metrics).not.toContainEqual(["repeats", 1]);
  expect(await routed(it, await publication(it, eventOf("1")), it.routing([routeOf()]))).toBe(1);
});

test("repeats: deliver routes it again; the actor's queue takes it for another delivery", async () => {
  const it = batchFixture();
  const options = { ...it.routing([routeOf()]), repeats: rulesOf({ repeats: "deliver" }) };
  for (let n = 0; n < 2; n += 1) {
    expect(await routed(it, await publication(it, eventOf("1")), options)).toBe(1);
  }
  expect(new Set(it.sent.map(({ dedupId }) => dedupId)).size).toBe(2);
  expect(new Set(it.sent.map(({ group }) => group)).size).toBe(1);
});

test("neither replays are repeats, nor what is injected, nor what nobody has named", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  expect(await routed(it, await publication(it, eventOf("1")), options)).toBe(1);
  const replay = await publication(it, publicationOfReplay(eventOf("1"), 1, {}), {
    kind: "replay",
  });
  expect(await routed(it, replay, options)).toBe(1);
  const injected = await publication(it, eventOf("1"), { kind: "inject" });
  expect(await routed(it, injected, options)).toBe(1);
  const { objects } = it;
  const keys = { messageGroup, eventDedupId };
  for (let n = 0; n < 2; n += 1) {
    const made = { id: `made${n}`, kind: "first" } as const;
    expect(await routed(it, await busMessage(eventOf("2"), keys, objects, made), options)).toBe(1);
  }
  expect(new Set(it.sent.map(({ dedupId }) => dedupId)).size).toBe(5);
});

test("a source that came back, or got another connector, has forgotten its ids", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  const send = async (lives: object) =>
    routed(it, await publication(it, eventOf("1")), {
      ...options,
      repeats: rulesOf({}, {}, lives),
    });
  expect(await send({})).toBe(1);
  expect(await send({ s: { life: 0, connector: "c" } })).toBe(0);
  expect(await send({ s: { life: 0, connector: "other" } })).toBe(1);
  expect(await send({ s: { life: 1, connector: "c" } })).toBe(0);
  expect(await send({ s: { life: 1, connector: null } })).toBe(1);
});

test("intake gives each request's events publications of their own, and says what their ids stand for", async () => {
  const it = batchFixture();
  const sent: QueueMessage[] = [];
  const publish = eventPublisher({
    sender: { sendAll: async (_, messages) => void sent.push(...messages) },
    busUrl: "bus",
    objects: it.objects,
    project: "acme",
    now: it.clock.now,
    flow: { log: () => {}, count: () => {} },
    writeDeadLetter: async () => {},
  });
  const named = { identity: "d-1", provenance: { platform: "t" }, payload: { n: 1 } };
  const { identity: _, ...unnamed } = named;
  await publish("s", [named, unnamed], "receive");
  await publish("s", [named], "receive");
  await publish("s", [named], "poll");
  expect(new Set(sent.map(({ dedupId }) => dedupId)).size).toBe(4);
  const said = sent.map(({ body }) => JSON.parse(body).publication as Publication);
  expect(said.map(({ kind }) => kind)).toEqual(Array(4).fill("first"));
  const hash = bodyHash({ n: 1 });
  expect(said.map(({ body }) => body)).toEqual([hash, undefined, hash, "0".repeat(64)]);
});
