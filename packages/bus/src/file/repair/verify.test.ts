import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { openFileBus, verifyWal, walStats } from "../index.ts";

test("a log that a process writes to, rotates and compacts meanwhile is never called damaged", async () => {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  const bus = await openFileBus({ dir, rotate: { maxBytes: 20_000 } });
  let writing = true;
  const write = async (): Promise<void> => {
    while (writing) {
      const event = testEvent({ payload: { text: "x".repeat(200) } });
      await bus.publish(event);
      await bus.ack(event.id);
    }
  };
  const writers = [write(), write(), write()];
  for (let reading = 0; reading < 60; reading += 1) {
    const { problems } = await verifyWal(dir);
    expect(problems.filter(({ kind }) => kind !== "torn")).toEqual([]);
    await walStats(dir);
  }
  writing = false;
  await Promise.all(writers);
  await bus.close();
  expect((await verifyWal(dir)).problems).toEqual([]);
});
