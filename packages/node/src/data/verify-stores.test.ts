import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { nodeFileSystem } from "@orgloop/files";
import {
  fileClaims,
  fileDeadLetters,
  fileInbox,
  fileRepeats,
  fileRouteStates,
} from "@orgloop/stores";
import { sampleDeadLetter, sampleInboxEntry } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { keptStarts } from "../delivery/kept-starts.ts";
import { temporaryDir } from "../process/process-fixture.ts";
import { verifyStores } from "./verify-stores.ts";

async function filled(): Promise<string> {
  const dir = await temporaryDir();
  const letters = await fileDeadLetters({ dir: join(dir, "dead-letters") });
  for (const n of [1, 2, 3]) await letters.put(sampleDeadLetter(n));
  await letters.close();
  const inbox = await fileInbox({ dir: join(dir, "inbox") });
  await inbox.put(sampleInboxEntry(1));
  await inbox.close();
  return dir;
}

test("sound stores, and none at all, have no problems; looking changes nothing", async () => {
  expect(await verifyStores(await temporaryDir())).toEqual({
    lines: 0,
    problems: [],
    refused: false,
    kept: [],
  });
  const dir = await filled();
  expect(await verifyStores(dir)).toEqual({ lines: 4, problems: [], refused: false, kept: [] });
});

test("damage is found by a look, and after a start where it was kept", async () => {
  const dir = await filled();
  const file = join(dir, "dead-letters/dead-letters.jsonl");
  await writeFile(file, (await readFile(file, "utf8")).replace('"attempts":3', '"attempts":4'));
  await truncate(join(dir, "inbox/inbox.jsonl"), 0);
  const before = await verifyStores(dir);
  expect(before.problems).toEqual([
    expect.stringMatching(/dead-letters\.jsonl:2: no line with a fitting checksum/),
    expect.stringMatching(/inbox\.jsonl: the end is missing/),
  ]);
  const warnings: string[] = [];
  const warn = (message: string): unknown => warnings.push(message);
  await (await fileDeadLetters({ dir: join(dir, "dead-letters"), warn })).close();
  await (await fileInbox({ dir: join(dir, "inbox"), warn })).close();
  expect(warnings).toHaveLength(2);
  const after = await verifyStores(dir);
  expect(after.problems).toEqual([]);
  expect(after.kept).toEqual([expect.stringContaining("dead-letters.jsonl.damaged-")]);
});

test("a file of another store, and a directory, is what a start refuses, in its words", async () => {
  const opened: Record<string, (dir: string) => Promise<unknown>> = {
    "attempt-starts.jsonl": (dir) =>
      keptStarts({
        path: join(dir, "attempt-starts.jsonl"),
        fileSystem: nodeFileSystem,
        wall: Date.now,
        isWanted: () => true,
        warn: () => {},
      }),
    "claims/claims.jsonl": (dir) => fileClaims({ dir: join(dir, "claims") }),
    "dead-letters/dead-letters.jsonl": (dir) => fileDeadLetters({ dir: join(dir, "dead-letters") }),
    "inbox/inbox.jsonl": (dir) => fileInbox({ dir: join(dir, "inbox") }),
    "repeats/repeats.jsonl": (dir) => fileRepeats({ dir: join(dir, "repeats"), onMark: () => {} }),
    "route-state.jsonl": (dir) => fileRouteStates({ file: join(dir, "route-state.jsonl") }),
  };
  const source = await filled();
  const claims = await fileClaims({ dir: join(source, "claims") });
  await claims.claim("key", "evt_1", 1_000, Date.now());
  await claims.close();
  for (const [name, open] of Object.entries(opened)) {
    const dir = await temporaryDir();
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    const other = name.startsWith("claims") ? "inbox/inbox.jsonl" : "claims/claims.jsonl";
    for (const end of ["", ".mark"]) await cp(join(source, other + end), path + end);
    const { message } = (await open(dir).catch((error: Error) => error)) as Error;
    expect(message).toContain(`${path} is not this store's file`);
    expect(await verifyStores(dir)).toEqual({
      lines: 0,
      problems: [message],
      refused: true,
      kept: [],
    });
    await rm(path);
    await mkdir(path);
    const { message: ofDirectory } = (await open(dir).catch((error: Error) => error)) as Error;
    expect(await verifyStores(dir)).toMatchObject({ problems: [ofDirectory], refused: true });
  }
});

test("what the release before wrote is no damage", async () => {
  const fixture = join(import.meta.dirname, "../../../../test/fixtures/data-b0cfe0b");
  for (const name of ["killed", "stopped"]) {
    const dir = await temporaryDir();
    await cp(join(fixture, name), dir, { recursive: true });
    expect((await verifyStores(dir)).problems).toEqual([]);
    const warnings: string[] = [];
    const warn = (message: string): unknown => warnings.push(message);
    const letters = await fileDeadLetters({ dir: join(dir, "dead-letters"), warn });
    const events = (await readFile(join(fixture, name, "dead-letters/dead-letters.jsonl"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const letter of events) expect(await letters.get(letter.id)).toEqual(letter);
    await letters.close();
    expect(warnings).toEqual([]);
    expect(await readdir(join(dir, "dead-letters"))).toEqual([
      "dead-letters.jsonl",
      "dead-letters.jsonl.mark",
    ]);
    await rm(dir, { recursive: true });
  }
});
