import { eventAndTarget } from "@orgloop/engine";
import type { FileSystem, MadeFiles } from "@orgloop/files";
import type { EventBus, OrgLoopEvent } from "@orgloop/sdk";
import { type AttemptStarts, attemptStarts } from "../delivery/attempt-starts.ts";
import { type Backlog, type BacklogBounds, backlog as eventBacklog } from "../intake/backlog.ts";
import type { Clock } from "../process/clock.ts";

export interface RecoverUnackedOptions {
  readonly bus: Pick<EventBus, "unacked">;
  readonly bounds: BacklogBounds;
  /** Where it stands what the process before died at. */
  readonly startsFile: string;
  readonly fileSystem: FileSystem;
  readonly made?: MadeFiles | undefined;
  readonly warn: (message: string) => void;
  readonly clock: Clock;
}

/** What is known of the events that the process before has left undelivered. */
export async function recoverUnacked(
  options: RecoverUnackedOptions,
): Promise<{ readonly backlog: Backlog; readonly starts: AttemptStarts }> {
  const { bus, bounds, startsFile, fileSystem, made, warn, clock } = options;
  const backlog = eventBacklog(bounds);
  const unacked = await bus.unacked();
  for (const event of unacked) backlog.enter(event);
  const mayReturn = new Set(unacked.map(eventAndTarget).map(({ event }) => replayKey(event)));
  const starts = await attemptStarts({
    path: startsFile,
    fileSystem,
    made,
    warn,
    clock,
    isWanted: (id, replay) => mayReturn.has(replayKey({ id, replay })),
  });
  return { backlog, starts };
}

function replayKey({ id, replay = 0 }: Pick<OrgLoopEvent, "id" | "replay">): string {
  return `${id} ${replay}`;
}
