import { ListObjectsV2Command, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { parseRecorded, type RecordedLine, type RecordedQuery } from "@orgloop/core";
import { hasCode, type OrgLoopEvent } from "@orgloop/sdk";
import { historyFolder } from "../event-history.ts";
import { awsCalls } from "./aws-calls.ts";
import type { OpenStage } from "./open-stage.ts";

/** Where a recorded line stands. */
export interface HistoryPlace {
  readonly key: string;
  /** From 0. */
  readonly line: number;
}

const HOUR_MS = 3_600_000;
/** Objects read together. */
const PAGE = 200;

/** The recorded lines of a stage that may be meant, in the order of the record. Lines that are none of ours are passed over. */
export async function* readHistory(
  stage: OpenStage,
  query: Pick<RecordedQuery, "since" | "until">,
): AsyncGenerator<{ readonly line: RecordedLine; readonly place: HistoryPlace }> {
  const { s3, bucket } = stage;
  for await (const Prefix of folders(stage, query)) {
    const pages = paginateListObjectsV2({ client: s3, pageSize: PAGE }, { Bucket: bucket, Prefix });
    for await (const { Contents = [] } of pages) {
      const keys = Contents.flatMap(({ Key }) => Key ?? []);
      const texts = await awsCalls().map(keys, (key) => readObject(stage, key));
      for (const [index, key] of keys.entries()) {
        for (const [at, text] of (texts[index] ?? "").split("\n").entries()) {
          const line = parseRecorded(text);
          if (line !== null) yield { line, place: { key, line: at } };
        }
      }
    }
  }
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

/** The hours asked for, in order; without a beginning, those that there are. */
async function* folders(
  stage: OpenStage,
  { since, until }: Pick<RecordedQuery, "since" | "until">,
): AsyncGenerator<string> {
  const endMs = until === undefined ? Date.now() : Date.parse(until);
  const firstMs = since === undefined ? await firstDay(stage) : Date.parse(since);
  if (firstMs === null) return;
  for (let atMs = firstMs - (firstMs % HOUR_MS); atMs <= endMs; atMs += HOUR_MS) {
    yield historyFolder(atMs);
  }
}

/** The first day of the record, in ms since the epoch; null where nothing is recorded. */
async function firstDay({ s3, bucket }: OpenStage): Promise<number | null> {
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: "events/", MaxKeys: 1 }),
  );
  const [, day] = /^events\/(\d{4}-\d\d-\d\d)\//.exec(Contents[0]?.Key ?? "") ?? [];
  return day === undefined ? null : Date.parse(day);
}
