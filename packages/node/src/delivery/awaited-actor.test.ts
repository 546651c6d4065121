import { expect, test } from "vitest";
import { awaiting, hook, running } from "../apply/apply-fixture.ts";

test("a route whose actor does not exist yet keeps its events until an apply brings it", async () => {
  const first = { ...hook, routes: [awaiting("one", "hook", "later")] };
  const { apply, send, record, settled, process } = await running(first);
  for (let n = 0; n < 3; n += 1) await send({ key: "k" });
  await expect.poll(() => process.status().routes[0]?.matched).toBe(3);
  expect(process.status()).toMatchObject({ unacked: 3, actors: [], dead_letters: 0 });
  await apply({ ...first, actors: { later: {} } });
  await settled();
  expect(record.got).toEqual(["later@1: 1", "later@1: 2", "later@1: 3"]);
});

test("what waits for an actor stays within the bound; where its route goes first it becomes dead letters", async () => {
  const first = { ...hook, routes: [awaiting("one", "hook", "later")] };
  const bounded = first.routes.map((spec) => ({
    ...spec,
    delivery: { ...spec.delivery, queue_depth: 2 },
  }));
  const { apply, send, settled, process, record } = await running({ ...first, routes: bounded });
  for (let n = 0; n < 3; n += 1) await send({ key: "k" });
  expect(await process.entry("pipeline.backpressure")).toMatchObject({ route: "one" });
  await apply(hook);
  await settled();
  const reasons = process.entries.flatMap(({ phase, result }) =>
    phase === "deliver.dead_letter" ? [result] : [],
  );
  expect(reasons).toEqual(["backpressure", "permanent", "permanent"]);
  expect(record.got).toEqual([]);
});
