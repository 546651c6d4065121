import { type DeadLetter, summaryOf } from "@orgloop/sdk";
import { sampleRoute, storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { again, batchFixture, eventOf, HISTORY, recordOf } from "../delivery/batch-fixture.ts";
import { wrapBody } from "../queue/message-body.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import { type ResendHost, resendRefused } from "./resend-refused.ts";
import { routeBatch } from "./route-batch.ts";

const remaining = () => 30_000;
const HOUR = 3_600_000;

const refusedBy = (name: string): Error =>
  Object.assign(new Error(`it did not take a message: ${name}`), {
    cause: Object.assign(new Error("no"), { name }),
  });

const routeTo = (actor: string) => ({
  ...sampleRoute(`to-${actor}`, { order: "key", key: "payload.key", concurrency: 16 }),
  then: { actor, config: {} },
});

/** A router of two actors, of which the queue of `ill` answers as it is told. */
function ill() {
  const it = batchFixture();
  const routes = [routeTo("well"), routeTo("ill")];
  const base = it.routing(routes);
  const asks: string[] = [];
  /** What each queue has, each message once, as `EVENT`. */
  const has = { well: [] as string[], ill: [] as string[] };
  let answer: (event: string) => Error | null = () => null;
  const sendEach: typeof base.sender.sendEach = async (url, messages) => {
    if (url === HISTORY) return messages.map(() => null);
    const actor = url.includes("/ill.") ? "ill" : "well";
    const stuck = new Map<string, Error>();
    return messages.map(({ body, group = "" }) => {
      const { id } = JSON.parse(body).delivery.event;
      if (actor === "ill" && !stuck.has(group)) {
        asks.push(id);
        const error = answer(id);
        if (error !== null) stuck.set(group, error);
      }
      const error = actor === "ill" ? (stuck.get(group) ?? null) : null;
      if (error === null) has[actor].push(id);
      return error;
    });
  };
  const options = { ...base, sender: { sendEach } };
  const event = async (n: number, key = "k"): Promise<ReceivedMessage> => {
    const one = eventOf(String(n), { payload: { key } });
    return recordOf(await wrapBody({ event: one }, it.objects, one.id), "s", it.clock.now());
  };
  const route = async (...records: readonly ReceivedMessage[]) =>
    (await routeBatch(records, remaining, options)).batchItemFailures.length;
  const stored = () => storedLetters(it.deadLetters);
  const letters: ResendHost["letters"] = {
    get: async (id) => (await it.deadLetters.get(id)) ?? null,
    listed: async ({ actor, reason } = {}) =>
      (await stored())
        .filter((one) => one.actor === actor && one.reason === reason)
        .map((one) => ({ ...summaryOf(one as DeadLetter), replayed_ms: null })),
    removeRefused: (id) => it.deadLetters.remove([id]),
  };
  const topology = { routes, sources: [], actors: [{ id: "ill" }, { id: "well" }] };
  const sweep = (resending = letters) =>
    resendRefused(
      {
        ...options,
        letters: resending,
        refusing: it.refusing,
        applied: async () => ({ topology: topology as never, hash: "hash" }),
      },
      () => 60_000,
    );
  return {
    ...it,
    asks,
    has,
    event,
    route,
    stored,
    sweep,
    letters,
    answer: (as: typeof answer) => {
      answer = as;
    },
  };
}

test.each([
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
  "AccessDenied",
  "KmsDisabled",
])(
  "a queue that refuses for an hour (%s): the group flows, nobody hears twice, and all comes in order when it heals",
  async (name) => {
    const it = ill();
    it.answer(() => refusedBy(name));
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    for (const n of numbers) {
      expect(await it.route(await it.event(n, `k${n % 3}`))).toBe(0);
      await it.clock.advance(60_000);
    }
    expect(it.has.well).toEqual(numbers.map((n) => `evt_${n}`));
    expect(it.has.ill).toEqual([]);
    // After three it is not asked again, but by the probe.
    expect(it.asks).toHaveLength(3);
    expect((await it.stored()).map(({ reason }) => reason)).toEqual(numbers.map(() => "refused"));
    await it.sweep();
    expect(it.asks).toHaveLength(4);
    it.answer(() => null);
    // What comes before the probe does not overtake.
    expect(await it.route(await it.event(60, "k0"))).toBe(0);
    expect(it.has.ill).toEqual([]);
    await it.sweep();
    expect(it.has.ill).toEqual([...numbers, 60].map((n) => `evt_${n}`));
    expect(await it.stored()).toEqual([]);
    expect(await it.route(await it.event(61, "k0"))).toBe(0);
    expect(it.has.ill.at(-1)).toBe("evt_61");
  },
);

test("what is parked while the others are sent keeps its place, and the queue is well only when all are", async () => {
  const it = ill();
  it.answer(() => refusedBy("AccessDenied"));
  for (const n of [1, 2, 3, 4]) await it.route(await it.event(n));
  it.answer(() => null);
  let late = 5;
  await it.sweep({
    ...it.letters,
    async listed(filter) {
      const found = await it.letters.listed(filter);
      if (late < 8) await it.route(await it.event(late++));
      return found;
    },
  });
  expect(it.has.ill).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `evt_${n}`));
  expect((await it.refusing.load()).size).toBe(0);
});

test("before it is marked, other message groups are tried; the one that waits is not overtaken", async () => {
  const it = ill();
  it.answer((id) => (id === "evt_1" ? refusedBy("AccessDenied") : null));
  await it.route(await it.event(1, "a"));
  await it.route(await it.event(2, "a"));
  await it.route(await it.event(3, "b"));
  expect(it.has.ill).toEqual(["evt_3"]);
  it.answer(() => null);
  await it.sweep();
  expect(it.has.ill).toEqual(["evt_3", "evt_1", "evt_2"]);
});

test("throttling is no refusal: the event comes again, and who has it does not hear of it again, for hours", async () => {
  const it = ill();
  it.answer(() => refusedBy("ThrottlingException"));
  let records = [await it.event(1), await it.event(2)];
  for (let time = 0; time < 24; time += 1) {
    expect(await it.route(...records)).toBe(2);
    await it.clock.advance(HOUR / 4);
    records = records.map(again);
  }
  it.answer(() => null);
  expect(await it.route(...records)).toBe(0);
  expect(it.has).toEqual({ well: ["evt_1", "evt_2"], ill: ["evt_1", "evt_2"] });
  expect(await it.stored()).toEqual([]);
});

test("a message that no queue takes is a letter of its own: those behind it go on", async () => {
  const it = ill();
  it.answer((id) => (id === "evt_1" ? refusedBy("InvalidMessageContents") : null));
  expect(await it.route(await it.event(1), await it.event(2), await it.event(3))).toBe(0);
  expect(it.has.ill).toEqual(["evt_2", "evt_3"]);
  expect(await it.stored()).toMatchObject([{ event_id: "evt_1", reason: "refused" }]);
  expect((await it.refusing.load()).size).toBe(0);
});

test("what can neither be sent nor parked comes again, and in order", async () => {
  const it = ill();
  it.answer(() => refusedBy("QueueDoesNotExist"));
  const park = it.refusing.park;
  Object.assign(it.refusing, { park: () => Promise.reject(new Error("throttled")) });
  const records = [await it.event(1), await it.event(2)];
  expect(await it.route(...records)).toBe(2);
  Object.assign(it.refusing, { park });
  expect(await it.route(...records.map(again))).toBe(0);
  expect(it.has.well).toEqual(["evt_1", "evt_2"]);
  it.answer(() => null);
  await it.sweep();
  expect(it.has.ill).toEqual(["evt_1", "evt_2"]);
});
