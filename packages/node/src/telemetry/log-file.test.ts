import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogEntry } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { temporaryDir } from "../process/process-fixture.ts";
import { logFile } from "./log-file.ts";

function entry(n: number): LogEntry {
  return { timestamp: "2026-01-01T00:00:00.000Z", phase: "source.emit", event_id: `evt_${n}` };
}

test("what was logged is in the file after a flush, in order, a line an entry", async () => {
  const dir = await temporaryDir();
  const log = logFile({ dir });
  for (let n = 0; n < 1_000; n += 1) log.log(entry(n));
  await log.flush();
  const lines = (await readFile(join(dir, "events.jsonl"), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    Array.from({ length: 1_000 }, (_, n) => entry(n)),
  );
  await log.close();
  await log.close();
});

test("it goes on in the same file after a restart, rotates by size, and keeps a bounded number", async () => {
  const dir = await temporaryDir();
  let n = 0;
  for (let round = 0; round < 8; round += 1) {
    const log = logFile({ dir, maxBytes: 10_000, maxFiles: 2 });
    for (let more = 0; more < 100; more += 1) log.log(entry(n++));
    await log.close();
  }
  const files = (await readdir(dir)).filter((name) => name.endsWith(".jsonl"));
  expect(files.length).toBeGreaterThan(1);
  expect(files.length).toBeLessThanOrEqual(3);
  expect(files).toContain("events.jsonl");
  const last = (await readFile(join(dir, "events.jsonl"), "utf8")).trimEnd().split("\n").at(-1);
  if (last) expect(JSON.parse(last)).toEqual(entry(n - 1));
});

test("a folder that cannot be written fails nothing", async () => {
  const file = join(await temporaryDir(), "file");
  await writeFile(file, "");
  const log = logFile({ dir: join(file, "no-folder") });
  for (let n = 0; n < 10; n += 1) log.log(entry(n));
  await log.flush();
  await log.close();
});
