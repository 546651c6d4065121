import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recordedEvents } from "./recorded-events.ts";

function directory(files: Readonly<Record<string, readonly string[]>>): string {
  const root = mkdtempSync(path.join(tmpdir(), "orgloop-recorded-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [file, lines] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), lines.map((line) => `${line}\n`).join(""));
  }
  return root;
}

const event = (id: string, more: object = {}) => ({
  id,
  timestamp: "2026-01-01T00:00:00.000Z",
  source: "s",
  type: "resource.changed",
  provenance: { platform: "test" },
  payload: {},
  trace_id: "trc_1",
  ...more,
});
const at = "2026-02-01T00:00:00.000Z";

async function read(target: string) {
  const found = await recordedEvents(target);
  const events = [];
  for await (const { event: one, atMs } of found.events) events.push([one.id, atMs]);
  return { events, unreadable: found.unreadable };
}

test("a recorder's directory: by hour, with the time of routing, without replays and torn lines", async () => {
  const line = (id: string, more?: object) => JSON.stringify({ at, event: event(id, more) });
  const root = directory({
    "2026-02-01/01.jsonl": [line("evt_2"), line("evt_1", { replay: 1 }), '{"at":'],
    "2026-02-01/00.jsonl": [line("evt_1")],
    "notes.txt": ["no event"],
  });
  expect(await read(root)).toEqual({
    events: [
      ["evt_1", Date.parse(at)],
      ["evt_2", Date.parse(at)],
    ],
    unreadable: { count: 1, first: path.join(root, "2026-02-01/01.jsonl:3") },
  });
});

test("plain events, and those written by hand, whose gaps are filled", async () => {
  const root = directory({
    "events.jsonl": [JSON.stringify(event("evt_1")), "", '{"source":"s","payload":{"a":1}}', "[]"],
  });
  expect(await read(path.join(root, "events.jsonl"))).toEqual({
    events: [
      ["evt_1", Date.parse("2026-01-01T00:00:00.000Z")],
      ["evt_line3", 0],
    ],
    unreadable: { count: 1, first: path.join(root, "events.jsonl:4") },
  });
});

test("where there is nothing to read, that is said", async () => {
  const root = directory({});
  for (const target of [root, path.join(root, "none.jsonl")]) {
    await expect(recordedEvents(target)).rejects.toMatchObject({ code: "NO_EVENTS" });
  }
});
