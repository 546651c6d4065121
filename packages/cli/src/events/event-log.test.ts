import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { LogEntry } from "@orgloop/sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readEventLog } from "./event-log.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "orgloop-log-"));
});
afterEach(() => rm(directory, { recursive: true }));

const line = (event_id: string) =>
  `${JSON.stringify({ timestamp: "2026-11-23T09:00:00.000Z", phase: "source.emit", event_id })}\n`;
const current = () => path.join(directory, "events.jsonl");

async function readAll(): Promise<(string | undefined)[]> {
  const read = readEventLog({ directory, follow: false, signal: new AbortController().signal });
  return (await Array.fromAsync(read)).map((entry) => entry.event_id);
}

test("reads rotated files before the current one, and skips what is no entry", async () => {
  await writeFile(path.join(directory, "events-2026-1.jsonl"), line("a"));
  await writeFile(
    current(),
    `${line("b")}{"torn":\nnull\n"text"\n${line("ü".repeat(200_000))}{"tim`,
  );
  expect(await readAll()).toEqual(["a", "b", "ü".repeat(200_000)]);
});

test("a directory that is not there has no entries", async () => {
  await rm(directory, { recursive: true });
  expect(await readAll()).toEqual([]);
  await writeFile(directory, "");
});

test("following survives a rotation in the middle of a line and a new file of the same name", async () => {
  await writeFile(current(), `${line("a")}${line("b").slice(0, 20)}`);
  const stop = new AbortController();
  const entries = readEventLog({ directory, follow: true, signal: stop.signal });
  const next = async () => ((await entries.next()).value as LogEntry).event_id;
  expect(await next()).toBe("a");
  const pending = next();
  await appendFile(current(), line("b").slice(20));
  await rename(current(), path.join(directory, "events-2026-1.jsonl"));
  await writeFile(current(), line("c"));
  expect(await pending).toBe("b");
  expect(await next()).toBe("c");
  stop.abort();
  expect((await entries.next()).done).toBe(true);
});
