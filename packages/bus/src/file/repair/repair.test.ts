import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testEvent } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import { openFileBus, repairWal } from "../index.ts";

/**
 * Two segments, closed: events 1 to 4, of which 1 and 3 were acked with notes. Resolves with the
 * first segment.
 */
async function notedLog(): Promise<{ readonly dir: string; readonly file: string }> {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  let nowMs = 1_000;
  const notes = { through: 0, onNote: () => {}, keep: async () => {} };
  const bus = await openFileBus({ dir, now: () => nowMs, compactBelow: 0, notes });
  for (const n of [1, 2, 3]) await bus.publish(testEvent({ id: `evt_${n}`, payload: { n } }));
  await bus.ack("evt_1", "note of 1");
  await bus.ack("evt_3", "note of 3");
  nowMs += 3_600_000;
  await bus.publish(testEvent({ id: "evt_4", payload: { n: 4 } }));
  await bus.close();
  const names = (await readdir(dir)).filter((name) => name.endsWith(".jsonl")).sort();
  expect(names).toHaveLength(2);
  return { dir, file: join(dir, names[0] as string) };
}

/** What a start finds: unsettled events, and the notes after line `through`. */
async function found(dir: string, through = 0) {
  const notes: string[] = [];
  const onNote = (note: string): unknown => notes.push(note);
  const bus = await openFileBus({ dir, notes: { through, onNote, keep: async () => {} } });
  const ids = (await bus.unacked()).map(({ id }) => id);
  await bus.close();
  return { ids, notes };
}

async function change(file: string, from: string, to: string): Promise<number> {
  const text = await readFile(file, "utf8");
  expect(text).toContain(from);
  await writeFile(file, text.replace(from, to));
  return text.slice(0, text.indexOf(from)).split("\n").length;
}

test("a repair keeps the acks with notes: nobody else may have them yet", async () => {
  const { dir, file } = await notedLog();
  await change(file, '"n":2', '"n":1234');
  await expect(found(dir)).rejects.toMatchObject({ code: "WAL_CORRUPT" });
  const { problems } = await repairWal(dir, { apply: true });
  expect(problems.map(({ loses }) => loses)).toEqual([expect.stringContaining("evt_2")]);
  expect(await found(dir)).toEqual({ ids: ["evt_4"], notes: ["note of 1", "note of 3"] });
});

test("they keep their numbers: what was kept elsewhere before the repair is not told again", async () => {
  const { dir, file } = await notedLog();
  const text = await readFile(file, "utf8");
  const { seq } = JSON.parse(text.split("\n").find((line) => line.includes("note of 1")) as string);
  await change(file, '"n":2', '"n":1234');
  await repairWal(dir, { apply: true });
  expect((await found(dir, seq)).notes).toEqual(["note of 3"]);
});

test("one flipped bit of such an ack is put right; what cannot be is named", async () => {
  const flipped = await notedLog();
  await change(flipped.file, "note of 1", "note of 3");
  await repairWal(flipped.dir, { apply: true });
  expect(await found(flipped.dir)).toEqual({
    ids: ["evt_2", "evt_4"],
    notes: ["note of 1", "note of 3"],
  });

  const gone = await notedLog();
  const line = await change(gone.file, "note of 1", "something else");
  const { problems } = await repairWal(gone.dir, { apply: true });
  const loses = "an ack: what is sent again of event 2 may be routed again";
  expect(problems).toMatchObject([{ line, kind: "corrupt", loses }]);
  expect(await found(gone.dir)).toEqual({ ids: ["evt_2", "evt_4"], notes: ["note of 3"] });
});
