import type { PlanState } from "@orgloop/config";
import type { QueuedEvents } from "@orgloop/node";
import { hasCode, type Topology } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { callProcess, type FoundProcess, findProcess } from "../process/running-process.ts";

/** What a process runs, by its own account. */
export interface RunningState extends PlanState {
  readonly topology: Topology;
  readonly process: FoundProcess;
}

/**
 * What the process on `dataDir` runs; null where none does, and where it cannot say, which is
 * warned of.
 */
export async function runningState(
  { home, output }: CommandContext,
  dataDir: string,
): Promise<RunningState | null> {
  const process = await findProcess(home, dataDir);
  if (process === null) return null;
  const unknown = (why: string) => {
    output.warn(`process ${process.pid} runs, but ${why}: what it runs is not known`);
    return null;
  };
  if (!process.responsive) return unknown("does not answer");
  try {
    const reported = await callProcess<Omit<RunningState, "process">>(
      home,
      process,
      "/control/topology",
    );
    return { serial: reported.serial, hash: reported.hash, topology: reported.topology, process };
  } catch (error) {
    if (hasCode(error, "NO_ANSWER")) return unknown("does not answer");
    if (!hasCode(error, "CONTROL_FAILED")) throw error;
    return unknown("is of another version");
  }
}

/** What waits in the queues of a running process. */
export function runningQueues(
  { home }: CommandContext,
  { process }: RunningState,
): Promise<Pick<QueuedEvents, "routes" | "actors">> {
  return callProcess(home, process, "/control/queues");
}
