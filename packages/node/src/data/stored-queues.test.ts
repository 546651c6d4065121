import { join } from "node:path";
import { openFileBus } from "@orgloop/bus/file";
import { publicationOfReplay } from "@orgloop/engine";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { route, temporaryDir, topologyOf } from "../process/process-fixture.ts";
import { readStoredQueues } from "./stored-queues.ts";

const topology = topologyOf(
  {},
  [route("one", "s", "a"), route("two", "s", "a"), route("three", "t", "b")],
  { bus: "file" },
);

test("events that wait are told by the routes that are not done with them, and by their actors", async () => {
  const dataDir = await temporaryDir();
  const bus = await openFileBus({ dir: join(dataDir, "wal") });
  const events = [
    testEvent({ source: "s" }),
    testEvent({ source: "s" }),
    testEvent({ source: "t" }),
  ];
  const done = testEvent({ source: "s" });
  const nobodys = testEvent({ source: "u" });
  const replay = publicationOfReplay(testEvent({ source: "s" }), 1, { route: "two" });
  for (const event of [...events, done, nobodys, replay]) await bus.publish(event);
  await bus.settle(events[0]?.id ?? "", "one");
  await bus.ack(done.id);
  await bus.close();
  expect(await readStoredQueues(topology, dataDir)).toEqual({
    routes: { one: 1, two: 3, three: 1 },
    actors: { a: 4, b: 1 },
    unacked: 5,
  });
});

test("where nothing was ever kept, nothing waits", async () => {
  const none = { routes: {}, actors: {}, unacked: 0 };
  expect(await readStoredQueues(topology, await temporaryDir())).toEqual(none);
});
