import { ListObjectsV2Command, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { parseRecorded, type RecordedLine, type RecordedQuery } from "@orgloop/engine";
import { hasCode, type OrgLoopEvent, parseDuration } from "@orgloop/sdk";
import { recordFolder } from "../routing/event-history.ts";
import { awsCalls } from "./aws-calls.ts";
import type { OpenStage } from "./open-stage.ts";

/** Where a recorded line stands. */
export interface HistoryPlace {
  readonly key: string;
  /** From 0. */
  readonly line: number;
}

/** What was read of the record. */
export interface HistoryRead {
  readonly objects: number;
  /** The beginning of the earliest hour that was looked into, ISO 8601. */
  readonly from: string;
}

type Asked = Pick<RecordedQuery, "since" | "until">;

/** A recorded line, and where it stands. */
interface FoundLine {
  readonly line: RecordedLine;
  readonly place: HistoryPlace;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Objects read together. */
const PAGE = 200;

/**
 * The recorded lines of a stage that may be meant, in the order of the record. Lines that are none
 * of ours are passed over.
 */
export async function* readHistory(
  stage: OpenStage,
  query: Asked,
  onRead: (read: HistoryRead) => void = () => {},
): AsyncGenerator<FoundLine> {
  const { fromMs, toMs } = await hoursOf(stage, query);
  let objects = 0;
  const isNew = withoutDoubles();
  for (let atMs = fromMs; atMs <= toMs; atMs += HOUR_MS) {
    isNew.nextHour();
    for await (const page of readHour(stage, atMs)) {
      objects += page.objects;
      yield* page.lines.filter(({ line }) => isNew.test(line));
    }
    onRead({ objects, from: new Date(fromMs).toISOString() });
  }
}

/**
 * The lines of some events, those of their replays too, in the order of the record. It is looked
 * through from its end, hour by hour, until each event was found: what is asked for by its id is
 * most often new.
 */
export async function findHistory(
  stage: OpenStage,
  query: RecordedQuery & { readonly ids: ReadonlySet<string> },
  onRead: (read: HistoryRead) => void = () => {},
): Promise<readonly FoundLine[]> {
  const { ids, source } = query;
  const { fromMs, toMs } = await hoursOf(stage, query);
  const missing = new Set(ids);
  const found: FoundLine[] = [];
  let objects = 0;
  for (let atMs = toMs; atMs >= fromMs && missing.size > 0; atMs -= HOUR_MS) {
    const inHour: FoundLine[] = [];
    for await (const page of readHour(stage, atMs)) {
      objects += page.objects;
      inHour.push(...page.lines.filter(({ line }) => ids.has(line.event.id)));
    }
    for (const { line } of inHour) {
      const { event } = line;
      const isIt = event.replay === undefined && (source ?? event.source) === event.source;
      if (isIt) missing.delete(event.id);
    }
    found.unshift(...inHour);
    onRead({ objects, from: new Date(atMs).toISOString() });
  }
  return found;
}

/**
 * The lines of events that `isMeant` lets through, in the order of the record. It is looked through
 * from its end, up to the hour in which one was first routed.
 */
export async function lastHistory(
  stage: OpenStage,
  isMeant: (event: OrgLoopEvent) => boolean,
  onRead: (read: HistoryRead) => void = () => {},
): Promise<readonly FoundLine[]> {
  const { fromMs, toMs } = await hoursOf(stage, {});
  const found: FoundLine[] = [];
  let objects = 0;
  for (let atMs = toMs; atMs >= fromMs; atMs -= HOUR_MS) {
    const inHour: FoundLine[] = [];
    for await (const page of readHour(stage, atMs)) {
      objects += page.objects;
      inHour.push(...page.lines.filter(({ line }) => isMeant(line.event)));
    }
    found.unshift(...inHour);
    onRead({ objects, from: new Date(atMs).toISOString() });
    if (inHour.some(({ line }) => line.event.replay === undefined)) break;
  }
  return found;
}

async function* readHour(
  stage: OpenStage,
  atMs: number,
): AsyncGenerator<{ readonly objects: number; readonly lines: readonly FoundLine[] }> {
  const { s3, bucket } = stage;
  const query = { Bucket: bucket, Prefix: recordFolder(atMs) };
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: PAGE }, query)) {
    const keys = (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
    const texts = await awsCalls().map(keys, (key) => readObject(stage, key));
    const lines = keys.flatMap((key, index) => linesOf(key, texts[index] ?? ""));
    yield { objects: keys.length, lines };
  }
}

function linesOf(key: string, text: string): readonly FoundLine[] {
  return text.split("\n").flatMap((one, at) => {
    const line = parseRecorded(one);
    return line === null ? [] : { line, place: { key, line: at } };
  });
}

/**
 * Tells which lines say again what another has said: an event that had to come again, or a message
 * of the history's queue that SQS handed over twice, is recorded twice, at most hours apart. What
 * was recorded before lines named their publications was recorded once.
 */
function withoutDoubles() {
  let [hour, before] = [new Set<string>(), new Set<string>()];
  return {
    nextHour() {
      [hour, before] = [new Set(), hour];
    },
    test({ event: { id, replay = 0 }, publication }: RecordedLine): boolean {
      if (publication === undefined) return true;
      const key = `${id} ${replay} ${publication}`;
      const isNew = !hour.has(key) && !before.has(key);
      hour.add(key);
      return isNew;
    },
  };
}

/** Every event of the record, once for each time that it was routed; without replays. */
export async function* recordedEvents(
  stage: OpenStage,
): AsyncGenerator<{ readonly event: OrgLoopEvent; readonly atMs: number }> {
  for await (const { line } of readHistory(stage, {})) {
    if (line.event.replay === undefined) yield { event: line.event, atMs: Date.parse(line.at) };
  }
}

/** Null where its time in the record is over. */
export async function readRecordedLine(
  stage: OpenStage,
  { key, line }: HistoryPlace,
): Promise<RecordedLine | null> {
  const text = (await readObject(stage, key)).split("\n")[line];
  return text === undefined ? null : parseRecorded(text);
}

async function readObject({ objects }: OpenStage, key: string): Promise<string> {
  try {
    return await objects.get(key);
  } catch (error) {
    if (hasCode(error, "OBJECT_MISSING")) return "";
    throw error;
  }
}

/**
 * The first and the last hour asked for, by when they begin; without a beginning, of those that
 * there can be.
 */
async function hoursOf(
  stage: OpenStage,
  { since, until }: Asked,
): Promise<{ readonly fromMs: number; readonly toMs: number }> {
  const hour = (ms: number) => ms - (ms % HOUR_MS);
  const toMs = hour(until === undefined ? Date.now() : Date.parse(until));
  return {
    toMs,
    fromMs: since === undefined ? await firstDay(stage, toMs) : hour(Date.parse(since)),
  };
}

/**
 * The first day of the record, in ms since the epoch; later than `lastMs` where nothing is
 * recorded.
 */
async function firstDay(stage: OpenStage, lastMs: number): Promise<number> {
  const { s3, bucket } = stage;
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: "events/", MaxKeys: 1 }),
  );
  const [, day] = /^events\/(\d{4}-\d\d-\d\d)\//.exec(Contents[0]?.Key ?? "") ?? [];
  if (day === undefined) return lastMs + HOUR_MS;
  const { defaults } = await stage.topology();
  // S3 expires whole days, at the midnight after them (AWS, Lifecycle rules based on an object's
  // age), and not at once.
  const kept = DAY_MS * (1 + Math.ceil(parseDuration(defaults.event_retention) / DAY_MS));
  const today = Date.now() - (Date.now() % DAY_MS);
  return Math.max(Date.parse(day), today - kept);
}
