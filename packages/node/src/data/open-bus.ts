import type { FileSystem, MadeFiles } from "@orgloop/files";
import {
  type BusSpec,
  type DefaultsSpec,
  hasCode,
  type LogEntry,
  OrgLoopError,
  parseDuration,
  parseSize,
  type SettlingEventBus,
} from "@orgloop/sdk";
import type { OpenRepeatMemory } from "../intake/repeat-memory.ts";
import { isDiskFull } from "./bus-writes.ts";
import type { Disk } from "./disk.ts";

export interface OpenBusOptions {
  readonly spec: BusSpec;
  readonly wal: DefaultsSpec["wal"];
  /** The folder of the file bus. */
  readonly dir: string;
  /** Where it lies. */
  readonly disk: Disk;
  readonly made?: MadeFiles | undefined;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly now: () => number;
  /** Keeps by what repeats are known, where the bus forgets it. */
  readonly repeats: Pick<OpenRepeatMemory, "through" | "load" | "flush">;
}

export interface OpenBus extends SettlingEventBus {
  /** Resolves where the bus can no longer be trusted and the process must end. */
  readonly failed?: Promise<Error>;
  /** Why it takes nothing at present; null where it does, as far as it knows. */
  refusal?(): Error | null;
}

/** What to say of a log that was there, and is not. */
export const goneLog = (dir: string): string =>
  `${dir} is gone; lost: the events in it that were not delivered. \`orgloop replay\` routes recorded events anew; a copy of the directory can be put back while nothing runs`;

export async function isEmpty(dir: string, fileSystem: FileSystem): Promise<boolean> {
  try {
    return (await fileSystem.list(dir)).length === 0;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return true;
    throw error;
  }
}

/** The bus that the configuration names. Throws `BUS_UNSUPPORTED`. */
export async function openBus(options: OpenBusOptions): Promise<OpenBus> {
  const { url } = options.spec;
  switch (url) {
    case "memory": {
      const { memoryBus } = await import("@orgloop/bus/memory");
      return memoryBus();
    }
    case "file":
      return openLog(options);
    case "sqs":
      throw new OrgLoopError(
        "BUS_UNSUPPORTED",
        "a workspace on sqs runs on AWS and is not started but deployed: npx sst deploy --stage WORKSPACE. To run it here, give it another bus",
      );
    default:
      throw new OrgLoopError(
        "BUS_UNSUPPORTED",
        `bus "${url.split("://")[0]}" cannot be used by this process yet: use memory or file`,
      );
  }
}

async function openLog(options: OpenBusOptions): Promise<OpenBus> {
  const { wal, dir, disk, made, log, now, repeats } = options;
  const { openFileBus } = await import("@orgloop/bus/file");
  const { fileSystem } = disk;
  const lock = (held: string) => disk.lock(held, "wal");
  const rotate = {
    maxBytes: parseSize(wal.rotate.max_size),
    maxAgeMs: parseDuration(wal.rotate.max_age),
  };
  const notes = {
    through: repeats.through,
    onNote: (mark: string) => repeats.load(mark, { settled: true }),
    keep: repeats.flush,
  };
  if (made?.has(dir) && (await isEmpty(dir, fileSystem))) {
    log({ phase: "system.error", error: goneLog(dir) });
  }
  try {
    const bus = await openFileBus({ dir, rotate, onEvent: log, now, notes, fileSystem, lock });
    await made?.add(dir);
    return bus;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw new OrgLoopError(
      "DISK_FULL",
      `${dir}: the disk is full, and opening the log needs a few bytes: free some space and start again (nothing is lost)`,
      { cause: error },
    );
  }
}
