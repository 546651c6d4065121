import { nodeFileSystem } from "@orgloop/stores";
import { listChain } from "./chain.ts";
import { corruptError } from "./errors.ts";
import type { EventLine } from "./logged-event.ts";
import { readLines } from "./read-lines.ts";
import { readSegment } from "./read-segment.ts";
import type { Segment } from "./segment.ts";
import { UnsettledLog } from "./unsettled.ts";
import { type WalReadOptions, whileItChanges } from "./verify.ts";

export interface WalStats {
  readonly dir: string;
  /** Files with lines. */
  readonly segments: number;
  readonly bytes: number;
  /** Lines of events, settled ones too. */
  readonly events: number;
  readonly unsettled: number;
  /** When the oldest unsettled event was published, in ms since the epoch. */
  readonly oldestAtMs: number | null;
}

/** Counts what is in the log in `dir`. Changes nothing; fine while a process runs. Throws `WAL_CORRUPT`. */
export function walStats(dir: string, options: WalReadOptions = {}): Promise<WalStats> {
  return whileItChanges(() => count(dir, options));
}

async function count(
  dir: string,
  { fileSystem = nodeFileSystem }: WalReadOptions,
): Promise<WalStats> {
  const names = (await listChain(dir, fileSystem)).segments.filter(
    ({ kind }) => kind !== "settled",
  );
  const unsettled = new UnsettledLog();
  let bytes = 0;
  let events = 0;
  for (const [index, name] of names.entries()) {
    const segment: Segment = { name: name.name, from: name.from, through: 0, size: 0, live: 0 };
    const last = index === names.length - 1;
    unsettled.begin(segment, name.kind === "ordinary");
    const reading = await readSegment(
      dir,
      name,
      {
        seal: null,
        last,
        onLine(head, offset, length) {
          if (head.kind === "event") events += 1;
          unsettled.line(head, offset, length);
        },
      },
      fileSystem,
    );
    unsettled.end();
    if (reading.damage !== null && !reading.torn) throw corruptError(dir, reading.damage);
    bytes += reading.size;
  }
  const found = unsettled.result();
  const oldest = found.slice(0, 1).map(({ event }) => event);
  let oldestAtMs: number | null = null;
  for await (const line of readLines(dir, oldest, fileSystem)) {
    oldestAtMs = (JSON.parse(line.toString("utf8")) as EventLine).at;
  }
  return { dir, segments: names.length, bytes, events, unsettled: found.length, oldestAtMs };
}
