import type { OrgLoopEvent } from "@orgloop/sdk";
import type { OpenEntry } from "../../ports/log-entries.ts";
import { type LoopCheck, loopEntry } from "../loop-detector.ts";

export interface LoopPorts {
  /** Follows the event's trace, and remembers that it did. */
  readonly followTrace: (event: OrgLoopEvent) => LoopCheck | Promise<LoopCheck>;
  readonly log: (entry: OpenEntry) => void;
}

/**
 * Why an event must not be routed, its trace being a loop; null: it may be. The log hears of loops
 * that are not broken yet, too. A replay is what somebody asks for: never a loop.
 */
export async function brokenLoop(event: OrgLoopEvent, ports: LoopPorts): Promise<string | null> {
  if ((event.replay ?? 0) > 0) return null;
  const found = loopEntry(await ports.followTrace(event), event);
  if (found === null) return null;
  ports.log(found.entry);
  return found.broken;
}
