import { restartedSources } from "@orgloop/config";
import type { Generation } from "../apply/generation.ts";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import type { ProjectPorts } from "../process/project-ports.ts";
import { type Intake, ingest } from "./ingest.ts";
import { type PollLoop, pollLoop } from "./poll-loop.ts";
import { type Repeats, repeats } from "./repeats.ts";
import { sourceWaits } from "./source-waits.ts";

/**
 * The half of the process before the bus: whatever comes in is completed, known again, and
 * published.
 */
export interface OpenIntake extends Intake {
  readonly repeats: Repeats;
  readonly polls: PollLoop["states"];
  /** Begins to poll. */
  start(): void;
  /** Goes on with the sources of `to`. */
  change(from: Generation, to: Generation): void;
  /** Resolves when, after the stop, the last poll has ended. */
  ended(): Promise<void>;
}

/** `pollConcurrency`: most polls at a time. */
export function openIntake(
  ports: ProjectPorts,
  writeDeadLetter: WriteDeadLetter,
  pollConcurrency: number,
): OpenIntake {
  const { open, current, clock, log, activity, stop } = ports;
  const known = repeats({
    memory: open.repeats,
    rules: current,
    clock,
    log,
    activity,
  });
  const { project } = current().topology;
  const entered = ingest({ ...ports, bus: open.bus, repeats: known, project, writeDeadLetter });
  const pollers = pollLoop({
    sources: current().polled,
    concurrency: pollConcurrency,
    checkpoints: open.checkpoints,
    ingest: entered.ingest,
    waits: sourceWaits(ports.starts),
    clock,
    log,
    activity,
    stop,
  });
  return {
    ...entered,
    repeats: known,
    polls: pollers.states,
    start: pollers.start,
    change: (from, to) => pollers.change(to.polled, restartedSources(from.topology, to.topology)),
    ended: () => pollers.ended,
  };
}
