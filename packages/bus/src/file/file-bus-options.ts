import type { DirectoryLock, FileSystem } from "@orgloop/files";
import type { LogEntry, SettlingEventBus } from "@orgloop/sdk";
import type { DispatchOptions } from "../dispatch.ts";

export interface FileBusOptions extends DispatchOptions {
  /** Made where missing; one process at a time. */
  readonly dir: string;
  readonly rotate?: {
    /** A segment that has this many bytes is sealed. Default 64 MiB. */
    readonly maxBytes?: number;
    /** A segment this old is sealed at the next write. In ms; default 1 h. */
    readonly maxAgeMs?: number;
  };
  /**
   * Sealed segments are compacted when less than this share of their bytes is unsettled; 0 never.
   * Default 0.5.
   */
  readonly compactBelow?: number;
  readonly notes?: AckNotes;
  /**
   * What the log does to its files: `wal.rotate`, `wal.compact`, `wal.repair`, and `system.error`
   * where the disk refuses.
   */
  readonly onEvent?: (entry: LogEntry) => void;
  /** Ms since the epoch. */
  readonly now?: () => number;
  readonly fileSystem?: FileSystem;
  /** Default: {@link lockDirectory}. */
  readonly lock?: (dir: string) => Promise<DirectoryLock>;
}

export interface FileBusStats {
  /** Files of the log. */
  readonly segments: number;
  readonly bytes: number;
  readonly unsettled: number;
  /** When the oldest unsettled event was published, in ms since the epoch. */
  readonly oldestAtMs: number | null;
}

export interface FileBus extends SettlingEventBus {
  stats(): FileBusStats;
  /**
   * Why the disk takes nothing at present, where something waits for it and is tried again every
   * second; null otherwise.
   */
  refusal(): Error | null;
  /**
   * Resolves with a `WAL_FAILED` when a sync failed: what is on the disk is unknown, and everything
   * is rejected from then on. The process must end; opening finds out what is there. Stays pending
   * otherwise.
   */
  readonly failed: Promise<Error>;
}

/** What keeps the notes of acks (`EventBus.ack`), once the log forgets them. */
export interface AckNotes {
  /** Those up to this line are kept. */
  readonly through: number;
  /** At opening, of each that the log has after that line. */
  readonly onNote: (note: string) => void;
  /**
   * Before lines go: resolves when all notes that acks were given are kept, those up to line
   * `through` at least.
   */
  readonly keep: (through: number) => Promise<void>;
}
