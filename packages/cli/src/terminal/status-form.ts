import type { StageStatus } from "@orgloop/aws/operate";

/** `status --json` (`docs/commands.md`). On AWS it may tell of actors that drain, too. */
export interface Status extends Pick<StageStatus, "actors" | "draining" | "dead_letters"> {
  /** Null where nothing runs and the log is damaged. */
  readonly unacked: number | null;
  readonly workspace: string;
  readonly running: boolean;
  /** Null where the configuration has errors. */
  readonly bus: string | null;
  readonly uptime_ms: number;
  readonly sources: readonly {
    readonly id: string;
    readonly connector: string;
    readonly state: string;
    readonly checkpoint: string | null;
    readonly last_poll_at: string | null;
    /** Null on AWS for a source that is not polled. */
    readonly events: number | null;
  }[];
  readonly routes: readonly {
    readonly name: string;
    /** Null on AWS, where nobody counts by route. */
    readonly matched: number | null;
    readonly delivered: number | null;
    readonly failed: number | null;
    readonly circuit: "closed" | "open" | "half_open";
  }[];
}

/**
 * Exactly the fixed form: a running process tells more, and by `draining` whether it drains itself.
 */
export function statusForm(reported: Omit<Status, "draining">): Status {
  return {
    workspace: reported.workspace,
    running: reported.running,
    bus: reported.bus,
    uptime_ms: reported.uptime_ms,
    sources: reported.sources.map(({ id, connector, state, checkpoint, last_poll_at, events }) => ({
      id,
      connector,
      state,
      checkpoint,
      last_poll_at,
      events,
    })),
    routes: reported.routes.map(({ name, matched, delivered, failed, circuit }) => ({
      name,
      matched,
      delivered,
      failed,
      circuit,
    })),
    actors: reported.actors.map(({ id, queued, queue_depth, in_flight }) => ({
      id,
      queued,
      queue_depth,
      in_flight,
    })),
    unacked: reported.unacked,
    dead_letters: reported.dead_letters,
  };
}
