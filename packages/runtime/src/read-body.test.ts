import { expect, test } from "vitest";
import { bodyBudget, readBody } from "./read-body.ts";

/** A request whose body ends only when it is told to. */
function arriving(...sizes: number[]) {
  const ending = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      for (const size of sizes) controller.enqueue(new Uint8Array(size));
      await ending.promise;
      controller.close();
    },
    cancel: () => cancelled.resolve(),
  });
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  const request = new Request("http://127.0.0.1/webhook/hook", init);
  return { request, end: ending.resolve, cancelled: cancelled.promise };
}

const LIMIT = 100;
const quick = (size: number) =>
  new Request("http://127.0.0.1/", { method: "POST", body: new Uint8Array(size) });

test("a body is read whole, an empty one too; one beyond the limit is refused", async () => {
  const budget = bodyBudget(LIMIT);
  expect((await readBody(quick(7), 10, budget)).bytes).toHaveLength(7);
  const empty = new Request("http://127.0.0.1/", { method: "POST" });
  expect((await readBody(empty, 10, budget)).bytes).toHaveLength(0);
  await expect(readBody(quick(11), 10, budget)).rejects.toMatchObject({ status: 413 });
  const endless = arriving(6, 6);
  await expect(readBody(endless.request, 10, budget)).rejects.toMatchObject({ status: 413 });
  await endless.cancelled;
});

test("where all together are too many, the one that has been arriving longest gives way", async () => {
  const budget = bodyBudget(LIMIT);
  const slow = arriving(40);
  const slower = arriving(40);
  const first = readBody(slow.request, LIMIT, budget);
  const second = readBody(slower.request, LIMIT, budget);
  const gone = expect(first).rejects.toMatchObject({ code: "RETRY_AFTER" });
  const third = await readBody(quick(50), LIMIT, budget);
  expect(third.bytes).toHaveLength(50);
  await gone;
  await slow.cancelled;
  slower.end();
  expect((await second).bytes).toHaveLength(40);
});

test("what has arrived gives way to nothing: the newcomer does, until it is released", async () => {
  const budget = bodyBudget(LIMIT);
  const held = await readBody(quick(80), LIMIT, budget);
  await expect(readBody(quick(30), LIMIT, budget)).rejects.toMatchObject({ code: "RETRY_AFTER" });
  held.release();
  held.release();
  const all = await readBody(quick(LIMIT), LIMIT, budget);
  await expect(readBody(quick(1), LIMIT, budget)).rejects.toMatchObject({ code: "RETRY_AFTER" });
  all.release();
});
