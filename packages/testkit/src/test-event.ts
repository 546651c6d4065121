import { randomUUID } from "node:crypto";
import type { OrgLoopEvent } from "@orgloop/sdk";

/** An event with an id of its own. */
export function testEvent(fields: Partial<OrgLoopEvent> = {}): OrgLoopEvent {
  const id = randomUUID().replaceAll("-", "");
  return {
    id: `evt_${id}`,
    timestamp: "2026-01-01T00:00:00.000Z",
    source: "source-a",
    type: "resource.changed",
    provenance: { platform: "test", platform_event: "thing.happened" },
    payload: { text: "hello" },
    trace_id: `trc_${id}`,
    ...fields,
  };
}
