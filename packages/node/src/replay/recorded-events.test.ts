import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { temporaryDir } from "../process/process-fixture.ts";
import { eventRecorder, recordFiles } from "../telemetry/event-recorder.ts";
import { findRecorded, readRecorded } from "./recorded-events.ts";

const DAY_MS = 86_400_000;

test("what was recorded is found and read again, whatever characters it holds", async () => {
  const dir = await temporaryDir();
  let nowMs = Date.UTC(2026, 0, 1, 12);
  const fail = (message: string) => expect.unreachable(message);
  const recorder = eventRecorder({
    dir,
    retentionMs: () => DAY_MS,
    clock: { now: () => nowMs, wall: () => nowMs },
    warn: fail,
  });
  const titles = ["plain", "line\u2028and\u2029paragraph", "line\nfeed\r\n", "ünï 🎈", "last"];
  const events = titles.map((title, at) => testEvent({ id: `evt_${at}`, payload: { title } }));
  for (const event of events) recorder.record(event, []);
  await recorder.flush();
  nowMs += 3_600_000;
  recorder.record(testEvent({ id: "evt_later" }), ["all"]);
  await recorder.flush();
  const [first = ""] = await recordFiles(dir);
  await appendFile(join(dir, first), '{"at":"2026-01-01T12:00:00.000Z","event":{"id":"evt_to');

  const found = await findRecorded({ dir }, {});
  expect(found.map(({ id }) => id)).toEqual([...events.map(({ id }) => id), "evt_later"]);
  const read = await Promise.all(found.map(({ place }) => readRecorded({ dir }, place)));
  expect(read.slice(0, -1).map((line) => line?.event)).toEqual(events);
  expect(read.at(-1)?.dropped).toEqual(["all"]);
});

test("no record is an empty one", async () => {
  const dir = join(await temporaryDir(), "none");
  expect(await findRecorded({ dir }, {})).toEqual([]);
  expect(
    await readRecorded({ dir }, { file: "2026-01-01/12.jsonl", offset: 0, length: 9 }),
  ).toBeNull();
});
