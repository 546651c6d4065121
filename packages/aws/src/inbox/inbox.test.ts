// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import { fillRoute } from "@orgloop/engine";
import type { DeliveryContext, OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import {
  again,
  batchFixture,
  deliveryRecord,
  eventOf,
  QUEUE,
  recordOf,
  routeOf,
} from "../delivery/batch-fixture.ts";
import { deliverBatch } from "../delivery/deliver-batch.ts";
import { actorMessage } from "../queue/actor-message.ts";
import { drainInbox } from "./drain-inbox.ts";
import { expireInboxes } from "./expire-inboxes.ts";

const minute = () => 60_000;
const KEPT = { inbox: true, session_key: "a" };

const refusing = { sendEach: async () => [new Error("throttled")] };

/** An agent with an inbox: what it was told, with what config. */
function agent(ill: (event: OrgLoopEvent) => boolean = () => false) {
  const reported: { readonly event: OrgLoopEvent; readonly context: DeliveryContext }[] = [];
  const it = batchFixture(async (event, context) => {
    reported.push({ event, context });
    if (ill(event)) throw Object.assign(new Error("ill"), { code: "PERMANENT" });
    return undefined;
  });
  const deliver = async (id: string, route: RouteSpec = routeOf({}, KEPT), fields = {}) => {
    const record = await deliveryRecord(it, eventOf(id, fields), route);
    const { batchItemFailures } = await deliverBatch([record], QUEUE, minute, it.delivering);
    return { record, failed: batchItemFailures.length };
  };
  /** What lies in the actor's queue since the last time. */
  const flush = async () => {
    for (const { body, group } of it.sent.splice(0)) {
      await deliverBatch(
        [recordOf(body, group ?? "", it.clock.now())],
        QUEUE,
        minute,
        it.delivering,
      );
    }
  };
  const drain = (limit?: number) => drainInbox("a", limit, it.inboxHost);
  return { ...it, reported, deliver, flush, drain };
}

test("what is kept is done with: logged as the process logs it, and the actor's function is told once", async () => {
  const it = agent();
  await it.deliver("1");
  await it.deliver("2");
  expect(it.reported).toEqual([]);
  expect(it.sent).toMatchObject([{ queueUrl: "https://sqs.test/1/agent.fifo" }]);
  await it.flush();
  expect(it.reported).toMatchObject([
    {
      event: { source: "orgloop", payload: { pending_count: 1, session_key: "a" } },
      context: { route: "r", config: KEPT },
    },
  ]);
  expect(it.entries.map(({ phase, result }) => [phase, result])).toEqual([
    ["deliver.success", "queued in the inbox"],
    ["deliver.success", "queued in the inbox"],
    ["deliver.attempt", undefined],
    ["deliver.success", "delivered"],
    ["inbox.notify", "delivered"],
  ]);
  expect(it.metrics.filter(([metric]) => metric === "delivered")).toHaveLength(2);
});

test("a function that ends before it has told tells when the message comes again, and nobody else does", async () => {
  const it = agent();
  const { sender } = it.inboxHost;
  it.inboxHost.sender = refusing;
  const { record, failed } = await it.deliver("1");
  expect(failed).toBe(1);
  it.inboxHost.sender = sender;
  await deliverBatch([again(record)], QUEUE, minute, it.delivering);
  await deliverBatch([again(record)], QUEUE, minute, it.delivering);
  expect(it.sent).toHaveLength(1);
  expect((await it.drain()).events).toHaveLength(1);
});

test("where it never comes again the sweep tells", async () => {
  const it = agent();
  const { sender } = it.inboxHost;
  it.inboxHost.sender = refusing;
  await it.deliver("1");
  await it.clock.advance(60_000);
  await expireInboxes(it.inboxHost, minute);
  expect(it.entries.at(-1)).toMatchObject({ phase: "system.error", error: /throttled/ });
  it.inboxHost.sender = sender;
  await expireInboxes(it.inboxHost, minute);
  await expireInboxes(it.inboxHost, minute);
  expect(it.sent).toHaveLength(1);
});

test("an actor that was removed cannot be told, and is not asked for again and again; what waits can be fetched", async () => {
  const it = agent();
  const { sender } = it.inboxHost;
  const cause = Object.assign(new Error("no queue"), { name: "QueueDoesNotExist" });
  const gone = { sendEach: async () => [new Error("not taken", { cause })] };
  await it.deliver("1");
  await it.deliver("2");
  await it.flush();
  it.inboxHost.sender = gone;
  await (await it.drain(1)).done();
  await it.clock.advance(60_000);
  const before = it.entries.length;
  await expireInboxes(it.inboxHost, minute);
  await expireInboxes(it.inboxHost, minute);
  expect(it.entries.slice(before)).toEqual([]);
  it.inboxHost.sender = sender;
  const rest = await it.drain();
  expect(rest.events).toMatchObject([{ id: "evt_2" }]);
  await rest.done();
  expect(await it.inboxes.sessions()).toEqual([]);
});

test("longer than its object lies in the bucket nothing waits, whatever a template makes of inbox_ttl", async () => {
  const it = agent();
  const nowMs = it.clock.now();
  await it.deliver("1", routeOf({}, { ...KEPT, inbox_ttl: "200d" }));
  const [entry] = await it.inboxes.list("a", 1);
  expect(Date.parse(entry?.expires_at ?? "") - nowMs).toBe(90 * 86_400_000);
});

test("secrets of the route are filled in when the actor is told, from the event that waits and not by it", async () => {
  const it = agent();
  it.parameters.set("/p/TOKEN/value", "s3cret");
  const config = { ...KEPT, token: "${TOKEN}", about: "{{payload.text}}" };
  await it.deliver("1", routeOf({}, config), { payload: { text: "${TOKEN} {{id}}" } });
  const [message] = it.sent;
  expect(message?.body).not.toContain("s3cret");
  await it.flush();
  expect(it.reported).toMatchObject([
    { context: { config: { token: "s3cret", about: "${TOKEN} {{id}}", session_key: "a" } } },
  ]);
});

test("what an event says of a secret is none, also where the route has none", async () => {
  const it = agent();
  it.parameters.set("/p/TOKEN/value", "s3cret");
  const {
    then,
    delivery: policy,
    name: route,
  } = routeOf({}, { ...KEPT, about: "{{payload.text}}" });
  const event = eventOf("1", { payload: { text: "${TOKEN}" } });
  // As the router sends it.
  const { config } = fillRoute({ route: "r", config: then.config }, event);
  const delivery = { event, route, actor: then.actor, orderingKey: "k", config, replay: 0 };
  const { body, group } = await actorMessage(
    {
      ...{ delivery, route: { then, delivery: policy }, topologyHash: "hash" },
      ...{ severalRoutes: false, nowMs: it.clock.now() },
    },
    it.objects,
  );
  await deliverBatch([recordOf(body, group, it.clock.now())], QUEUE, minute, it.delivering);
  await it.flush();
  expect(it.reported).toMatchObject([{ context: { config: { about: "${TOKEN}" } } }]);
});

test("a notification that is given up is a dead letter, and the next event tells anew, also of the same first event", async () => {
  let isIll = true;
  const it = agent(() => isIll);
  await it.deliver("1");
  const [first] = it.sent;
  await it.flush();
  expect(await storedLetters(it.deadLetters)).toMatchObject([{ reason: "permanent", route: "r" }]);
  isIll = false;
  await it.deliver("2");
  const [second] = it.sent;
  // SQS would take it for the first, within five minutes, by the event's id alone.
  expect(second?.dedupId).not.toBe(first?.dedupId);
  expect(second?.group).toBe(first?.group);
  await it.flush();
  expect(it.reported.map(({ event }) => event.payload.pending_count)).toEqual([1, 2]);
});

test("a drain leaves what it does not say is done; meanwhile another waits, and gets the rest", async () => {
  const it = agent();
  for (const id of ["1", "2", "3"]) await it.deliver(id);
  const first = await it.drain(2);
  expect(first).toMatchObject({ events: [{ id: "evt_1" }, { id: "evt_2" }], remaining: 1 });
  await first.keep();
  const again = await it.drain(2);
  expect(again.events).toHaveLength(2);
  const second = it.drain();
  await it.clock.advance(1_000);
  await again.done();
  await it.clock.advance(1_000);
  const { events, remaining, done } = await second;
  expect([events.map(({ id }) => id), remaining]).toEqual([["evt_3"], 0]);
  await done();
  expect((await it.drain()).events).toEqual([]);
  expect(await it.inboxes.sessions()).toEqual([]);
});

test("what expires is buried, what is being drained just then is not; a replay waits in the inbox again", async () => {
  const it = agent();
  const route = routeOf({}, { ...KEPT, inbox_ttl: "1m" });
  await it.deliver("1", route);
  await it.flush();
  const drain = await it.drain();
  await it.clock.advance(59_999);
  await it.clock.advance(1);
  // The lease is over with the minute: who drains dies here.
  expect(drain.events).toHaveLength(1);
  await expireInboxes(it.inboxHost, minute);
  expect(await storedLetters(it.deadLetters)).toMatchObject([
    { event_id: "evt_1", reason: "expired", attempts: 0, last_error: /inbox of a/ },
  ]);
  await drain.done();
  await it.deliver("1", route, { replay: 1 });
  expect(await storedLetters(it.deadLetters)).toEqual([]);
  expect((await it.drain()).events).toMatchObject([{ id: "evt_1", replay: 1 }]);
  await expireInboxes(it.inboxHost, () => 0);
  await it.clock.advance(30_000);
  await expireInboxes(it.inboxHost, minute);
  expect(await storedLetters(it.deadLetters)).toEqual([]);
});
