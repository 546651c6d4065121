import type { Delivery } from "./delivery.ts";

/** A delivery for tests: of an event from source `s` to actor `a`, published at `atMs`. */
export function sampleDelivery(
  route: string,
  orderingKey: string,
  id: string,
  atMs: number,
): Delivery {
  return {
    event: {
      id,
      timestamp: new Date(atMs).toISOString(),
      source: "s",
      type: "resource.changed",
      provenance: { platform: "test" },
      payload: {},
      trace_id: "trc_1",
    },
    route,
    actor: "a",
    orderingKey,
    config: {},
    replay: 0,
  };
}
