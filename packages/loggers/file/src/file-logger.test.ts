import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { LogEntry } from "@orgloop/sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileLoggerConfig } from "./config.ts";
import { fileLogger } from "./file-logger.ts";

let projectDir: string;
beforeEach(async () => {
  projectDir = await mkdtemp(join(tmpdir(), "orgloop-log-"));
});
afterEach(() => rm(projectDir, { recursive: true }));

const entry = (n: number): LogEntry => ({
  timestamp: "2026-11-01T12:34:56.789Z",
  phase: "source.emit",
  metadata: { n },
});

function open(config: Record<string, unknown>) {
  const warnings: string[] = [];
  const clock = { ms: Date.now() };
  const logger = fileLogger(fileLoggerConfig.parse(config), {
    id: "log",
    projectDir,
    now: () => clock.ms,
    warn: (message) => warnings.push(message),
  });
  return { logger, warnings, clock };
}

/** The numbers of the entries in all files, those put aside first. */
async function logged(name = "a.log"): Promise<unknown[]> {
  const names = (await readdir(projectDir)).filter((file) => file.startsWith(name)).sort();
  const aside = names.filter((file) => file !== name);
  const texts = [...aside, name].map(async (file) => {
    const bytes = await readFile(join(projectDir, file));
    return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  });
  const lines = (await Promise.all(texts)).join("").trim().split("\n");
  return lines.map((line) => JSON.parse(line).metadata.n);
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("file logger", () => {
  test("close writes what waits; a relative path is one from the project", async () => {
    const { logger } = open({ path: "a.log" });
    logger.log(entry(0));
    logger.log(entry(1));
    await logger.close?.();
    logger.log(entry(2));
    expect(await logged()).toEqual([0, 1]);
  });

  test("appends to what is there", async () => {
    for (const n of numbers(3)) {
      const { logger } = open({ path: "a.log" });
      logger.log(entry(n));
      await logger.close?.();
    }
    expect(await logged()).toEqual([0, 1, 2]);
  });

  test("rotation loses nothing and keeps the order", async () => {
    const { logger } = open({
      path: "a.log",
      rotation: { max_size: "1KB", max_files: 1000 },
      buffer: { size: 5 },
    });
    for (const n of numbers(200)) {
      logger.log(entry(n));
      if (n % 7 === 0) await logger.flush?.();
    }
    await logger.close?.();
    const files = await readdir(projectDir);
    expect(files.length).toBeGreaterThan(3);
    expect(
      files
        .filter((file) => file !== "a.log")
        .every((file) => file.endsWith("Z.gz") || /Z-\d+\.gz$/.test(file)),
    ).toBe(true);
    expect(await logged()).toEqual(numbers(200));
  });

  test("of what lies aside, the oldest and those too many go; other files stay", async () => {
    const aside = ["a.log.2026-10-01T00-00-00-000Z.gz", "a.log.2026-10-02T00-00-00-000Z"];
    for (const name of [...aside, "a.log.bak"]) await writeFile(join(projectDir, name), "");
    await utimes(join(projectDir, "a.log.bak"), 0, 0);
    const { logger } = open({
      path: "a.log",
      rotate: { max_size: "10B", max_files: 2, compress: false },
    });
    for (const n of numbers(3)) {
      logger.log(entry(n));
      await logger.flush?.();
    }
    await logger.close?.();
    const kept = await readdir(projectDir);
    expect(kept).toContain("a.log.bak");
    expect(kept).not.toContain(aside[0]);
    expect(kept.filter((name) => /^a\.log\.\d/.test(name))).toHaveLength(2);
  });

  test("a failed write is counted, said once a minute, and the next one tries again", async () => {
    await writeFile(join(projectDir, "logs"), "a file where the folder should be");
    const { logger, warnings, clock } = open({ path: "logs/a.log", buffer: { size: 2 } });
    for (const n of numbers(4)) logger.log(entry(n));
    await logger.flush?.();
    logger.log(entry(4));
    await logger.flush?.();
    expect(warnings).toEqual([expect.stringMatching(/^logger log: \d entries .*logs.a\.log: E/)]);
    clock.ms += 60_000;
    logger.log(entry(5));
    await logger.flush?.();
    expect(warnings).toHaveLength(2);
    await rm(join(projectDir, "logs"));
    await mkdir(join(projectDir, "logs"));
    logger.log(entry(6));
    await logger.close?.();
    expect(await readFile(join(projectDir, "logs", "a.log"), "utf8")).toContain('"n":6');
    expect(
      warnings
        .join(" ")
        .match(/\d+(?= entries)/g)
        ?.map(Number)
        .reduce((a, b) => a + b),
    ).toBe(6);
  });

  test("an entry that is no JSON is lost, not thrown", async () => {
    const { logger, warnings } = open({ path: "a.log" });
    logger.log({ ...entry(0), metadata: { big: 1n } });
    logger.log(entry(1));
    await logger.close?.();
    expect(warnings).toHaveLength(1);
    expect(await logged()).toEqual([1]);
  });
});

test("what lies aside longer than max_age goes at open; the file is there at once", async () => {
  const old = join(projectDir, "a.log.2026-10-01T00-00-00-000Z.gz");
  const recent = join(projectDir, "a.log.2026-10-02T00-00-00-000Z.gz");
  const { logger, clock } = open({ path: "a.log", rotation: { max_age: "2d" } });
  await logger.close?.();
  await Promise.all([old, recent].map((file) => writeFile(file, "")));
  await utimes(old, clock.ms / 1000, clock.ms / 1000 - 3 * 86_400);
  await open({ path: "a.log", rotation: { max_age: "2d" } }).logger.close?.();
  expect((await readdir(projectDir)).sort()).toEqual(["a.log", basename(recent)]);
});
