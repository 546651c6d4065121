import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileDeadLetters, fileInbox } from "@orgloop/stores";
import { sampleDeadLetter, sampleInboxEntry } from "@orgloop/testkit";
import { expect, test } from "vitest";
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
  expect(await verifyStores(await temporaryDir())).toEqual({ lines: 0, problems: [], kept: [] });
  const dir = await filled();
  expect(await verifyStores(dir)).toEqual({ lines: 4, problems: [], kept: [] });
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
