import type { EventFilter, OrgLoopEvent, Receipt, SettlingEventBus } from "@orgloop/sdk";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { testEvent } from "./test-event.ts";

export interface BusSuiteOptions {
  readonly name: string;
  /** A bus on storage of its own. */
  readonly open: () => Promise<SettlingEventBus>;
  /**
   * Drops the bus as a crash would, without closing it, and opens one on the same storage. A
   * durable bus must have it.
   */
  readonly crash?: (bus: SettlingEventBus) => Promise<SettlingEventBus>;
  /** Waits until the bus shows what was done to it, where that takes time. Default: at once. */
  readonly settle?: (bus: SettlingEventBus) => Promise<void>;
  /** How long to wait for a hand-over, in ms. Default 10 s. */
  readonly patienceMs?: number;
}

/** What a subscription got. */
interface Taken {
  readonly event: OrgLoopEvent;
  readonly receipt: Receipt;
}

/**
 * The laws of `SettlingEventBus` (`@orgloop/sdk`, bus.ts), each a test; where a bus declares less,
 * the weaker law.
 *
 * @example
 * busSuite({ name: "memory", open: async () => memoryBus() });
 */
export function busSuite(options: BusSuiteOptions): void {
  const { name, open, settle = async () => undefined, patienceMs = 10_000 } = options;

  describe(`bus: ${name}`, () => {
    let bus: SettlingEventBus;

    beforeEach(async () => {
      bus = await open();
    });
    afterEach(async () => {
      await bus.close();
    });

    /** Subscribes and takes everything. */
    function take(filter: EventFilter = {}, done = async (_: OrgLoopEvent) => {}): Taken[] {
      const taken: Taken[] = [];
      bus.subscribe(filter, async (event, receipt) => {
        taken.push({ event, receipt });
        await done(event);
      });
      return taken;
    }

    const eventually = (check: () => void) =>
      vi.waitFor(check, { timeout: patienceMs, interval: 5 });

    /** Waits until `taken` has these ids, in this order. */
    const ids = (taken: readonly Taken[]) => taken.map(({ event }) => event.id);
    const tookInOrder = (taken: readonly Taken[], events: readonly OrgLoopEvent[]) =>
      eventually(() => expect(ids(taken)).toEqual(events.map((event) => event.id)));

    async function crash(): Promise<void> {
      if (options.crash === undefined) throw new Error("a durable bus needs the `crash` hook");
      bus = await options.crash(bus);
    }

    /**
     * What the bus lists; a bus that lists only what this process holds is asked after it was
     * handed everything.
     */
    async function unackedIds(): Promise<string[]> {
      await settle(bus);
      return (await bus.unacked()).map((event) => event.id);
    }

    test("B1: a resolved publish survives a crash", async () => {
      const events = [testEvent(), testEvent({ source: "source-b" }), testEvent()];
      for (const event of events) await bus.publish(event);
      if (bus.capabilities.durable) await crash();
      const taken = take();
      await eventually(() => expect(taken).toHaveLength(3));
      for (const event of events) {
        expect(taken.find((each) => each.event.id === event.id)?.event).toEqual(event);
      }
    });

    test("B2: what is not acked comes back, its attempt one higher", async () => {
      const event = testEvent();
      await bus.publish(event);
      if (bus.capabilities.durable) {
        const before = take();
        await tookInOrder(before, [event]);
        expect(before[0]?.receipt.attempt).toBe(1);
        for (const attempt of [2, 3]) {
          await crash();
          const after = take();
          await tookInOrder(after, [event]);
          expect(after[0]?.receipt.attempt).toBe(attempt);
          expect(await unackedIds()).toEqual([event.id]);
        }
      }
      const refused = testEvent();
      const attempts: number[] = [];
      bus.subscribe({}, async ({ id }, { attempt }) => {
        if (id !== refused.id) return;
        attempts.push(attempt);
        if (attempt < 3) throw new Error("not now");
      });
      await bus.publish(refused);
      await eventually(() => expect(attempts).toEqual([1, 2, 3]));
    });

    test("B3: what was acked, and every route settled, is not handed over again", async () => {
      const [acked, settled, fence] = [testEvent(), testEvent(), testEvent()];
      await bus.publishAll([acked, settled, fence]);
      const before = take();
      await tookInOrder(before, [acked, settled, fence]);
      await bus.settle(settled.id, "route-1");
      await bus.settle(settled.id, "route-1");
      await bus.settle(settled.id, "täm/route 2");
      await bus.ack(acked.id);
      await bus.ack(acked.id);
      if (bus.capabilities.durable) await crash();
      const after = take();
      await tookInOrder(after, [settled, fence]);
      expect([...(after[0]?.receipt.settled ?? [])].sort()).toEqual(["route-1", "täm/route 2"]);
      expect(after[1]?.receipt.settled).toEqual(new Set());
      expect(await unackedIds()).toEqual([settled.id, fence.id]);
    });

    test("B3: an ack ends an event whose routes were settled", async () => {
      const [first, fence] = [testEvent(), testEvent()];
      await bus.publishAll([first, fence]);
      await tookInOrder(take(), [first, fence]);
      await Promise.all([bus.settle(first.id, "route-1"), bus.ack(first.id)]);
      if (bus.capabilities.durable) await crash();
      await tookInOrder(take(), [fence]);
      expect(await unackedIds()).toEqual([fence.id]);
    });

    test("B4: events of one source keep their order, also across a refusal", async () => {
      const events = Array.from({ length: 20 }, () => testEvent());
      const handed: string[] = [];
      let pending = 0;
      bus.subscribe({}, async (event, { attempt }) => {
        pending += 1;
        expect(pending).toBe(1);
        handed.push(event.id);
        await new Promise((resolve) => setImmediate(resolve));
        pending -= 1;
        if (event.id === events[7]?.id && attempt === 1) throw new Error("not now");
      });
      await bus.publishAll(events);
      const expected = events.map((event) => event.id);
      expected.splice(7, 0, events[7]?.id as string);
      await eventually(() => expect(handed).toEqual(expected));
    });

    test("B4: order survives a crash", async () => {
      const events = Array.from({ length: 50 }, () => testEvent());
      await Promise.all(events.map((event) => bus.publish(event)));
      if (bus.capabilities.durable) await crash();
      await tookInOrder(take(), events);
    });

    test("B5: a source whose handler hangs or refuses does not hold up another", async () => {
      const hang = Promise.withResolvers<void>();
      const handed: string[] = [];
      bus.subscribe({}, async (event) => {
        if (event.source === "hangs") await hang.promise;
        if (event.source === "refuses") throw new Error("never");
        handed.push(event.source);
      });
      for (const source of ["hangs", "refuses", "flows", "hangs", "refuses", "flows"]) {
        await bus.publish(testEvent({ source }));
      }
      await eventually(() => expect(handed).toEqual(["flows", "flows"]));
      hang.resolve();
    });

    test("B6: an id published again while it is unacked is one event", async () => {
      const [event, fence] = [testEvent(), testEvent()];
      await Promise.all([bus.publish(event), bus.publish(event)]);
      await bus.publish(event);
      if (bus.capabilities.durable) {
        await crash();
        await bus.publish(event);
      }
      await bus.publish(fence);
      await tookInOrder(take(), [event, fence]);
      expect(await unackedIds()).toEqual([event.id, fence.id]);
    });

    test("B7: bytes survive", async () => {
      const payloads = [
        {},
        { text: 'ünïcödé 漢字 🚀 \u2028 \u0000 "\\\n\r\t', ключ: null },
        { nested: [[[]], { deep: { deeper: [1.5, -0.001, 1e300, true, false, null] } }] },
        { megabyte: "x🙂".repeat(200_000) },
        { text: '{"crc":"00000000","seq":1,"batch":1,"ack":1}\n' },
      ];
      const events = payloads.map((payload) => testEvent({ payload, ordering_key: "acme/api#12" }));
      await bus.publishAll(events);
      if (bus.capabilities.durable) await crash();
      const taken = take();
      await eventually(() => expect(taken).toHaveLength(events.length));
      expect(taken.map(({ event }) => event)).toEqual(events);
    });

    test("B8: close ends the hand-overs, resolves twice, and nothing is taken after it", async () => {
      const hang = Promise.withResolvers<void>();
      const handed: string[] = [];
      bus.subscribe({}, async (event) => {
        handed.push(event.id);
        await hang.promise;
      });
      const [first, second] = [testEvent(), testEvent()];
      await bus.publishAll([first, second]);
      await eventually(() => expect(handed).toEqual([first.id]));
      const closing = bus.close();
      await expect(bus.publish(testEvent())).rejects.toMatchObject({ code: "BUS_CLOSED" });
      hang.resolve();
      await closing;
      await bus.close();
      await expect(bus.publish(testEvent())).rejects.toMatchObject({ code: "BUS_CLOSED" });
      expect(handed).toEqual([first.id]);
    });

    test("B9: a subscription gets what its filter lets through, also from before it began", async () => {
      const fields = ["source-a", "source-b"].flatMap((source) =>
        (["resource.changed", "message.received"] as const).map((type) => ({ source, type })),
      );
      const round = () => fields.map((each) => testEvent(each));
      const early = round();
      await bus.publishAll(early);
      const bySource = take({ source: "source-b" });
      const byBoth = take({ source: "source-a", type: "message.received" });
      const late = round();
      await bus.publishAll(late);
      await tookInOrder(bySource, [early[2], early[3], late[2], late[3]] as OrgLoopEvent[]);
      await tookInOrder(byBoth, [early[1], late[1]] as OrgLoopEvent[]);
    });

    test("unsubscribe waits for pending hand-overs; what was taken comes to the next subscription", async () => {
      const hang = Promise.withResolvers<void>();
      const handed: string[] = [];
      const subscription = bus.subscribe({}, async (event) => {
        handed.push(event.id);
        await hang.promise;
      });
      const [first, second] = [testEvent(), testEvent()];
      await bus.publishAll([first, second]);
      await eventually(() => expect(handed).toEqual([first.id]));
      let ended = false;
      const unsubscribed = subscription.unsubscribe().then(() => {
        ended = true;
      });
      await settle(bus);
      expect(ended).toBe(false);
      hang.resolve();
      await unsubscribed;
      await tookInOrder(take(), [first, second]);
      expect(handed).toEqual([first.id]);
    });

    test("unacked lists in the order of publishing; unknown ids are ignored", async () => {
      const events = [testEvent({ source: "b" }), testEvent({ source: "a" }), testEvent()];
      for (const event of events) await bus.publish(event);
      await bus.ack("evt_unknown");
      await bus.settle("evt_unknown", "route-1");
      if (bus.capabilities.unacked === "process") {
        const taken = take();
        await eventually(() => expect(taken).toHaveLength(3));
        expect((await unackedIds()).sort()).toEqual(events.map((event) => event.id).sort());
      } else expect(await unackedIds()).toEqual(events.map((event) => event.id));
    });
  });
}
