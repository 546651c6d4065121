import { OrgLoopError, type OrgLoopEvent, type SettlingEventBus } from "@orgloop/sdk";
import { createDispatch, type DispatchOptions, type UnackedEvent } from "./dispatch.ts";

export type MemoryBusOptions = DispatchOptions;

/**
 * Holds events in memory only: for tests, for trying out, and as the reference for every other bus.
 */
export function memoryBus(options: MemoryBusOptions = {}): SettlingEventBus {
  const dispatch = createDispatch(options);
  const unacked = new Map<string, UnackedEvent & { readonly settled: Set<string> }>();
  let closed = false;

  const refuseClosed = () => {
    if (closed) throw new OrgLoopError("BUS_CLOSED", "the bus is closed: it takes nothing more");
  };

  async function publish(event: OrgLoopEvent): Promise<void> {
    refuseClosed();
    if (unacked.has(event.id)) return;
    const held = { event, settled: new Set<string>(), returns: 0, acked: false };
    unacked.set(event.id, held);
    dispatch.add(held);
  }

  return {
    capabilities: { durable: false, unacked: "bus" },
    publish,
    async publishAll(events) {
      for (const event of events) await publish(event);
    },
    subscribe(filter, handler) {
      refuseClosed();
      return dispatch.subscribe(filter, handler, unacked.values());
    },
    async ack(eventId) {
      const held = unacked.get(eventId);
      if (held === undefined) return;
      unacked.delete(eventId);
      dispatch.remove(held);
    },
    async settle(eventId, route) {
      unacked.get(eventId)?.settled.add(route);
    },
    async unacked() {
      return Array.from(unacked.values(), (held) => held.event);
    },
    async close() {
      closed = true;
      await dispatch.close();
    },
  };
}
