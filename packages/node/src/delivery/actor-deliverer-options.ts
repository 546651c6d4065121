import type { ActorQueueOptions, Clock, MaskSecrets } from "@orgloop/engine";
import type { Actor, LogEntry } from "@orgloop/sdk";
import type { InUse } from "../apply/in-use.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { Alert } from "../telemetry/alerts.ts";
import type { AttemptSlots } from "./attempt-slots.ts";
import type { AttemptStarts } from "./attempt-starts.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";
import type { WriteDeadLetter } from "./write-dead-letter.ts";

export interface ActorDelivererOptions extends Omit<ActorQueueOptions, "onLimited"> {
  /** The actor's. */
  readonly id: string;
  /** Null: it does not exist yet; deliveries wait for it. */
  readonly actor: InUse<Actor> | null;
  readonly clock: Clock;
  readonly writeDeadLetter: WriteDeadLetter;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly alert: Alert;
  readonly kept: Pick<KeptRouteStates, "save">;
  readonly starts: AttemptStarts;
  /** Default: the process's. */
  readonly slots?: AttemptSlots;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
  readonly mask: MaskSecrets;
}
