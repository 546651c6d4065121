import type { Environment } from "@orgloop/config";
import type { LogEntry, PluginLookup, Topology } from "@orgloop/sdk";
import type { Disk } from "../data/disk.ts";
import type { openBus } from "../data/open-bus.ts";
import type { BacklogBounds } from "../intake/backlog.ts";
import { type Clock, systemClock, watchedClock } from "./clock.ts";

export interface ProjectOptions extends Partial<Clock> {
  readonly topology: Topology;
  /** Absolute. */
  readonly projectDir: string;
  /** Absolute; made where missing. */
  readonly dataDir: string;
  /**
   * What `${NAME}` stands for; the project's `.env` is read below it, at the start and at every
   * apply.
   */
  readonly env: Environment;
  readonly lookup: PluginLookup;
  /** For the terminal: entries that `defaults.log_level` lets through. */
  readonly onEntry?: (entry: LogEntry) => void;
  /** Most polls at a time; default 16. */
  readonly pollConcurrency?: number;
  /** Bytes of one webhook's body; default 25 MB, GitHub's own limit. */
  readonly bodyLimit?: number;
  /**
   * Events that may be on the bus undelivered, of one source and in all, before intake waits;
   * defaults 10,000 and 100,000.
   */
  readonly backlogBounds?: BacklogBounds;
  /** How long a webhook waits there before it gets 503; default 5 s. */
  readonly roomWaitMs?: number;
  /** How long a drain waits for attempts in flight; default 8 s. */
  readonly drainMs?: number;
  /** Where the data directory lies; default: the machine's. */
  readonly disk?: Disk;
  /** Opens the bus; default: what the topology names. */
  readonly openBus?: typeof openBus;
}

/** How much a project takes at once, and how long it waits: as told, or the defaults. */
export type ProjectLimits = Required<
  Pick<ProjectOptions, "backlogBounds" | "bodyLimit" | "roomWaitMs" | "drainMs" | "pollConcurrency">
>;

export function limitsOf(options: ProjectOptions): ProjectLimits {
  return {
    backlogBounds: options.backlogBounds ?? { perSource: 10_000, total: 100_000 },
    bodyLimit: options.bodyLimit ?? 25 * 1024 ** 2,
    roomWaitMs: options.roomWaitMs ?? 5_000,
    drainMs: options.drainMs ?? 8_000,
    pollConcurrency: options.pollConcurrency ?? 16,
  };
}

export function clockOf({ now, wall, random, timers }: Partial<Clock>): Clock {
  return watchedClock({
    now: now ?? systemClock.now,
    wall: wall ?? now ?? systemClock.wall,
    random: random ?? systemClock.random,
    timers: timers ?? systemClock.timers,
  });
}
