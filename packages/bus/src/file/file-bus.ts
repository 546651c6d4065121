import { CloseStack, type FileSystem, lockDirectory, nodeFileSystem } from "@orgloop/files";
import { hasCode, type LogEntry, messageOf, OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import { createDispatch, systemTimer } from "../dispatch.ts";
import type { FileBus, FileBusOptions } from "./file-bus-options.ts";
import { closeBody, openBody } from "./format/first-line.ts";
import { eventBody, LoggedEvent, type PublishListener } from "./format/logged-event.ts";
import type { Segment } from "./format/segment.ts";
import { recover } from "./read/recover.ts";
import type { SealedLog } from "./write/compact.ts";
import { GroupCommit } from "./write/group-commit.ts";
import { HighWaterFile } from "./write/high-water-file.ts";
import { LogWriter } from "./write/log-writer.ts";
import { Maintenance } from "./write/maintenance.ts";
import { AckLine, CloseLine, OpenLine, SettleLine } from "./write/waiting-line.ts";

/**
 * Opens the bus that is a write-ahead log of JSON lines in `dir` (docs/decisions/0008). Unacked
 * events of earlier processes are there again. Throws `LOCKED` where another process has it,
 * `WAL_CORRUPT` where acknowledged data is damaged, `WAL_FORMAT` where a newer release wrote it,
 * and the operating system's code where the disk cannot be read. Where it can, but takes nothing,
 * the bus opens and refuses publishes until it does.
 */
export async function openFileBus(options: FileBusOptions): Promise<FileBus> {
  const { dir, fileSystem = nodeFileSystem, lock: lockDir = lockDirectory } = options;
  await fileSystem.makeDirectory(dir);
  await using opened = new CloseStack();
  const lock = await lockDir(dir);
  opened.defer(() => lock.release());
  return await openLocked(options, fileSystem, opened);
}

async function openLocked(
  options: FileBusOptions,
  fileSystem: FileSystem,
  opened: CloseStack,
): Promise<FileBus> {
  const { dir, now = Date.now, onEvent, rotate = {}, setTimer = systemTimer } = options;
  const { compactBelow = 0.5 } = options;
  const recovered = await recover(dir, fileSystem, options.notes);
  const open = recovered.opens + 1;
  const directory = await fileSystem.openDirectory(dir);
  opened.defer(() => directory.close());
  const highWater = new HighWaterFile(dir, fileSystem, setTimer);
  opened.defer(() => highWater.close(null));
  await highWater.open(recovered.tail?.segment ?? beginning(recovered.nextSeq));
  const sealed: SealedLog = {
    dir,
    fileSystem,
    directory,
    segments: recovered.sealed,
    settledName: recovered.settledName,
  };
  const dispatch = createDispatch({ ...options, setTimer });
  const events = new Map<string, LoggedEvent>();
  const acking = new Set<AckLine>();
  const settling = new Set<SettleLine>();
  const failure = Promise.withResolvers<Error>();
  let failed: Error | null = null;
  let removed: Error | null = null;
  let closing: Promise<void> | null = null;
  let closed = false;

  function report(phase: LogEntry["phase"], metadata: object, error?: Error): void {
    onEvent?.({
      timestamp: new Date(now()).toISOString(),
      phase,
      ...(error === undefined ? {} : { error: messageOf(error) }),
      metadata: { dir, ...metadata },
    });
  }

  /** Every event whose line, but not its ack, is durable. */
  function* unsettled(): Generator<LoggedEvent> {
    for (const { event } of acking) yield event;
    for (const event of events.values()) if (event.segment !== null) yield event;
  }

  const maintenance = new Maintenance({
    log: sealed,
    compactBelow,
    unsettled,
    beforeForgetting: async () => options.notes?.keep(writer.segment.through),
    report,
    onFreed: () => group.poke(),
    onFailed: (error) => group.fail(error),
  });
  const writer = await LogWriter.open(
    {
      dir,
      fileSystem,
      directory,
      highWater,
      now,
      open,
      maxBytes: rotate.maxBytes ?? 64 * 1024 * 1024,
      maxAgeMs: rotate.maxAgeMs ?? 3_600_000,
      unsettled,
      onRotated(segment, next) {
        sealed.segments.push(segment);
        report("wal.rotate", { sealed: segment.name, bytes: segment.size, next: next.name });
        maintenance.start({ compaction: true });
      },
      onRotateRefused: (error) => report("wal.rotate", {}, error),
    },
    recovered.tail,
    recovered.nextSeq,
  );
  opened.defer(() => writer.close());
  opened.defer(() => maintenance.stop());
  const refused = Promise.withResolvers<void>();
  const group = new GroupCommit({
    nextSeq: recovered.nextSeq,
    setTimer,
    async append(batch, renumbered) {
      await writer.append(batch, renumbered);
      maintenance.afterCommit();
    },
    onRefused(error, kept) {
      report("system.error", { kept_lines: kept }, error);
      if (hasCode(error, "WAL_REMOVED")) removed = error;
      refused.resolve();
      maintenance.start({ compaction: true });
    },
    onFailed(error) {
      failed = error;
      report("system.error", {}, error);
      void dispatch.close();
      failure.resolve(error);
    },
  });

  /** Why the bus takes nothing; acks are taken until it is closed, publishes until that begins. */
  function refusal(stage: "closing" | "closed" = "closing"): Error | null {
    if (failed !== null) return failed;
    if (stage === "closing" && removed !== null) return removed;
    if (stage === "closing" ? closing === null : !closed) return null;
    return new OrgLoopError("BUS_CLOSED", `${dir}: the bus is closed, it takes nothing more`);
  }

  function publish(event: OrgLoopEvent): Promise<void> {
    const refused = refusal();
    if (refused !== null) return Promise.reject(refused);
    const known = events.get(event.id);
    if (known !== undefined) return known.publishing?.promise ?? Promise.resolve();
    const at = now();
    let body: string;
    try {
      body = eventBody(event, at, open);
    } catch (error) {
      return Promise.reject(error);
    }
    const logged = new LoggedEvent(event, at, body, listener);
    logged.publishing = Promise.withResolvers();
    events.set(event.id, logged);
    const { promise } = logged.publishing;
    group.add(logged);
    return promise;
  }

  const listener: PublishListener = {
    published: (logged) => dispatch.add(logged),
    refused: (logged) => events.delete(logged.event.id),
  };

  function acknowledge(logged: LoggedEvent, note?: string): Promise<void> {
    events.delete(logged.event.id);
    dispatch.remove(logged);
    const line = new AckLine(logged, acking, note);
    acking.add(line);
    group.add(line);
    return line.promise;
  }

  await begin();
  const resources = opened.move();
  return {
    capabilities: { durable: true, unacked: "bus" },
    failed: failure.promise,
    publish,
    async publishAll(list) {
      await Promise.all(list.map(publish));
    },
    subscribe(filter, handler) {
      const refused = refusal();
      if (refused !== null) throw refused;
      return dispatch.subscribe(filter, handler, published());
    },
    async ack(eventId, note) {
      const refused = refusal("closed");
      if (refused !== null) throw refused;
      const logged = events.get(eventId);
      if (logged !== undefined && logged.segment !== null) return acknowledge(logged, note);
      for (const line of acking) if (line.event.event.id === eventId) return line.promise;
    },
    async settle(eventId, route) {
      const refused = refusal("closed");
      if (refused !== null) throw refused;
      const logged = events.get(eventId);
      if (logged === undefined || logged.segment === null) return;
      if (logged.settled.has(route)) {
        for (const line of settling) {
          if (line.event === logged && line.route === route) return line.promise;
        }
        return;
      }
      logged.addRoute(route);
      const line = new SettleLine(logged, route, settling);
      settling.add(line);
      group.add(line);
      return line.promise;
    },
    async unacked() {
      return Array.from(published(), (logged) => logged.event);
    },
    stats() {
      const segments = [...sealed.segments, writer.segment];
      return {
        segments: segments.length,
        bytes: segments.reduce((bytes, { size }) => bytes + size, 0),
        unsettled: events.size + acking.size,
        oldestAtMs: events.values().next().value?.at ?? null,
      };
    },
    refusal: () => removed ?? group.refusal,
    close() {
      closing ??= end();
      return closing;
    },
  };

  /** Durable, and handed to dispatch. */
  function* published(): Generator<LoggedEvent> {
    for (const logged of events.values()) if (logged.publishing === null) yield logged;
  }

  /**
   * Writes the opening down before anything is handed over: attempts count it. Where the disk refuses, what there is is handed over
   * all the same, and the opening is written down later.
   */
  async function begin(): Promise<void> {
    if (recovered.cut !== null) report("wal.repair", recovered.cut);
    const line = new OpenLine(openBody(open, now(), highWater.format));
    if (recovered.isUpgrade || worthSealing(writer.segment, compactBelow)) writer.sealFirst();
    group.add(line);
    for (const logged of recovered.events) {
      if (events.has(logged.event.id)) acking.add(withAck(logged));
      else events.set(logged.event.id, logged);
    }
    await Promise.race([line.promise, refused.promise]);
    maintenance.start({ compaction: true });
  }

  /** A second unsettled event with the id of another (after a repair lost the first one's ack) is the same event: B6. */
  function withAck(logged: LoggedEvent): AckLine {
    const line = new AckLine(logged, acking);
    group.add(line);
    return line;
  }

  async function end(): Promise<void> {
    await using _ = resources;
    await dispatch.close();
    closed = true;
    await group.drain();
    if (failed !== null) return;
    // A segment of its own for a long log: so that the next opening need not look at every line.
    if (writer.segment.size >= WORTH_SEALING_BYTES) writer.sealFirst();
    const line = new CloseLine(closeBody(open, now(), unsettled()));
    group.add(line);
    await group.drain();
    await maintenance.stop();
    await highWater.close(line.isDurable ? writer.segment : null);
  }
}

/** Where a log stands whose next line begins a segment. */
function beginning(from: number): Pick<Segment, "from" | "size" | "through"> {
  return { from, size: 0, through: from - 1 };
}

const WORTH_SEALING_BYTES = 1024 * 1024;

/** Where most of the last segment is settled, it is sealed at opening, so that it is compacted and not read again. */
function worthSealing({ size, live }: Segment, compactBelow: number): boolean {
  return size >= WORTH_SEALING_BYTES && live < size * compactBelow;
}
