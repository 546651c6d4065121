import { CloseStack, type FileSystem, lockDirectory, nodeFileSystem } from "@orgloop/files";
import { OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import { createDispatch, type Dispatch, systemTimer } from "../dispatch.ts";
import type { FileBus, FileBusOptions, FileBusStats } from "./file-bus-options.ts";
import { closeBody, openBody } from "./format/first-line.ts";
import {
  AckLine,
  CloseLine,
  eventBody,
  LoggedEvent,
  OpenLine,
  type PublishListener,
  SettleLine,
} from "./format/pending-lines.ts";
import type { Segment } from "./format/segment.ts";
import { type Recovered, recover } from "./read/recover.ts";
import { UnsettledEvents } from "./unsettled-events.ts";
import type { SealedLog } from "./write/compact.ts";
import { HighWaterFile } from "./write/high-water-file.ts";
import { COMPACT_BELOW, type LogWriting, openWriting } from "./write/log-writing.ts";

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

/** A log that is open. */
interface OpenLog extends LogWriting {
  readonly dir: string;
  readonly now: () => number;
  /** How often it was opened, this time included. */
  readonly open: number;
  readonly sealed: SealedLog;
  readonly highWater: HighWaterFile;
  readonly events: UnsettledEvents;
  readonly dispatch: Dispatch;
}

async function openLocked(
  options: FileBusOptions,
  fileSystem: FileSystem,
  opened: CloseStack,
): Promise<FileBus> {
  const { dir, now = Date.now, setTimer = systemTimer } = options;
  const recovered = await recover(dir, fileSystem, options.notes);
  const directory = await fileSystem.openDirectory(dir);
  opened.defer(() => directory.close());
  const highWater = new HighWaterFile(dir, fileSystem, setTimer);
  opened.defer(() => highWater.close(null));
  await highWater.open(recovered.tail?.segment ?? beginning(recovered.nextSeq));
  const { sealed: segments, settledName } = recovered;
  const sealed: SealedLog = { dir, fileSystem, directory, segments, settledName };
  const dispatch = createDispatch({ ...options, setTimer });
  const events = new UnsettledEvents();
  const onFailed = (): void => void dispatch.close();
  const parts = { bus: options, recovered, log: sealed, highWater, events, onFailed };
  const writing = await openWriting(parts);
  opened.defer(() => writing.writer.close());
  opened.defer(() => writing.maintenance.stop());
  const open = recovered.opens + 1;
  const log: OpenLog = { ...writing, dir, now, open, sealed, highWater, events, dispatch };
  await begin(log, recovered, options.compactBelow ?? COMPACT_BELOW);
  return busOf(log, opened.move());
}

/**
 * Writes the opening down before anything is handed over: attempts count it. Where the disk
 * refuses, what there is is handed over all the same, and the opening is written down later.
 */
async function begin(log: OpenLog, recovered: Recovered, compactBelow: number): Promise<void> {
  const { events, group, writer, health, maintenance } = log;
  if (recovered.cut !== null) log.report("wal.repair", recovered.cut);
  const line = new OpenLine(openBody(log.open, log.now(), log.highWater.format));
  if (recovered.isUpgrade || worthSealing(writer.segment, compactBelow)) writer.sealFirst();
  group.add(line);
  for (const logged of recovered.events) {
    // A second one with the id of another, after a repair lost the first one's ack, is the same:
    // B6.
    if (events.byId.has(logged.event.id)) addAck(log, logged);
    else events.byId.set(logged.event.id, logged);
  }
  await Promise.race([line.promise, health.refused.promise]);
  maintenance.start({ compaction: true });
}

function busOf(log: OpenLog, resources: CloseStack): FileBus {
  const { dir, events, dispatch, group, health } = log;
  let closing: Promise<void> | null = null;
  let closed = false;

  /**
   * Throws why the bus takes nothing; acks are taken until it is closed, publishes until that
   * begins.
   */
  function refuse(stage: "closing" | "closed"): void {
    if (health.failed !== null) throw health.failed;
    if (stage === "closing" && health.removed !== null) throw health.removed;
    if (stage === "closing" ? closing === null : !closed) return;
    throw new OrgLoopError("BUS_CLOSED", `${dir}: the bus is closed, it takes nothing more`);
  }

  const listener: PublishListener = {
    published: (logged) => dispatch.add(logged),
    refused: (logged) => events.byId.delete(logged.event.id),
  };
  function publish(event: OrgLoopEvent): Promise<void> {
    try {
      refuse("closing");
      return add(log, event, listener);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return {
    capabilities: { durable: true, unacked: "bus" },
    failed: health.failure.promise,
    publish,
    async publishAll(list) {
      await Promise.all(list.map(publish));
    },
    subscribe(filter, handler) {
      refuse("closing");
      return dispatch.subscribe(filter, handler, events.published());
    },
    async ack(eventId, note) {
      refuse("closed");
      return acknowledge(log, eventId, note);
    },
    async settle(eventId, route) {
      refuse("closed");
      return settle(log, eventId, route);
    },
    unacked: async () => Array.from(events.published(), (logged) => logged.event),
    stats: () => statsOf(log),
    refusal: () => health.removed ?? group.refusal,
    close() {
      closing ??= end(log, resources, () => {
        closed = true;
      });
      return closing;
    },
  };
}

/** Resolves when the event's line is durable; at once where it is known already. */
function add(
  { events, now, open, group }: OpenLog,
  event: OrgLoopEvent,
  listener: PublishListener,
): Promise<void> {
  const known = events.byId.get(event.id);
  if (known !== undefined) return known.publishing?.promise ?? Promise.resolve();
  const at = now();
  const logged = new LoggedEvent(event, at, eventBody(event, at, open), listener);
  logged.publishing = Promise.withResolvers();
  events.byId.set(event.id, logged);
  const { promise } = logged.publishing;
  group.add(logged);
  return promise;
}

/** Resolves when the ack is durable; at once where the event is unknown. */
function acknowledge(log: OpenLog, id: string, note?: string): Promise<void> | undefined {
  const { events, dispatch } = log;
  const logged = events.byId.get(id);
  if (logged !== undefined && logged.segment !== null) {
    events.byId.delete(id);
    dispatch.remove(logged);
    return addAck(log, logged, note).promise;
  }
  for (const line of events.acking) if (line.event.event.id === id) return line.promise;
  return undefined;
}

function addAck({ events, group }: OpenLog, logged: LoggedEvent, note?: string): AckLine {
  const line = new AckLine(logged, events.acking, note);
  events.acking.add(line);
  group.add(line);
  return line;
}

/** Resolves when it is durable that the route is done with; at once where the event is unknown. */
function settle({ events, group }: OpenLog, id: string, route: string): Promise<void> | undefined {
  const { byId, settling } = events;
  const logged = byId.get(id);
  if (logged === undefined || logged.segment === null) return undefined;
  if (logged.settled.has(route)) {
    for (const line of settling) {
      if (line.event === logged && line.route === route) return line.promise;
    }
    return undefined;
  }
  logged.addRoute(route);
  const line = new SettleLine(logged, route, settling);
  settling.add(line);
  group.add(line);
  return line.promise;
}

function statsOf({ sealed, writer, events }: OpenLog): FileBusStats {
  const segments = [...sealed.segments, writer.segment];
  return {
    segments: segments.length,
    bytes: segments.reduce((bytes, { size }) => bytes + size, 0),
    unsettled: events.byId.size + events.acking.size,
    oldestAtMs: events.byId.values().next().value?.at ?? null,
  };
}

/**
 * Ends the hand-overs first, `onEnded` then, and writes what waits; an ack of a hand-over still
 * counts.
 */
async function end(log: OpenLog, resources: CloseStack, onEnded: () => void): Promise<void> {
  const { dispatch, group, health, writer, maintenance, highWater } = log;
  await using _ = resources;
  await dispatch.close();
  onEnded();
  await group.drain();
  if (health.failed !== null) return;
  // A segment of its own for a long log: so that the next opening need not look at every line.
  if (writer.segment.size >= WORTH_SEALING_BYTES) writer.sealFirst();
  const line = new CloseLine(closeBody(log.open, log.now(), log.events.unsettled()));
  group.add(line);
  await group.drain();
  await maintenance.stop();
  await highWater.close(line.isDurable ? writer.segment : null);
}

/** Where a log stands whose next line begins a segment. */
function beginning(from: number): Pick<Segment, "from" | "size" | "through"> {
  return { from, size: 0, through: from - 1 };
}

const WORTH_SEALING_BYTES = 1024 * 1024;

/**
 * Where most of the last segment is settled, it is sealed at opening, so that it is compacted and
 * not read again.
 */
function worthSealing({ size, live }: Segment, compactBelow: number): boolean {
  return size >= WORTH_SEALING_BYTES && live < size * compactBelow;
}
