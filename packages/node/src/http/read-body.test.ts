import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { bodyBudget, readBody } from "./read-body.ts";

/** A request whose body ends only when it is told to. */
function arriving(...sizes: number[]) {
  const body = Object.assign(new PassThrough({ highWaterMark: 1_000 }), { headers: {} });
  for (const size of sizes) body.write(Buffer.alloc(size));
  return { body, end: () => body.end() };
}

const LIMIT = 100;
function quick(size: number) {
  const { body, end } = arriving(...(size === 0 ? [] : [size]));
  end();
  return body;
}

test("a body is read whole, an empty one too; one beyond the limit is refused", async () => {
  const budget = bodyBudget(LIMIT);
  expect((await readBody(quick(7), 10, budget)).bytes).toHaveLength(7);
  expect((await readBody(quick(0), 10, budget)).bytes).toHaveLength(0);
  await expect(readBody(quick(11), 10, budget)).rejects.toMatchObject({ status: 413 });
  const endless = arriving(6, 6);
  await expect(readBody(endless.body, 10, budget)).rejects.toMatchObject({ status: 413 });
  expect(endless.body.isPaused()).toBe(true);
});

test("whoever else listens to a request goes on when its body is refused", async () => {
  const { body } = arriving(11);
  let seen = 0;
  const count = (chunk: Uint8Array): void => {
    seen += chunk.byteLength;
  };
  body.on("data", count);
  await expect(readBody(body, 10)).rejects.toMatchObject({ status: 413 });
  expect(body.listeners("data")).toEqual([count]);
  body.end(Buffer.alloc(5)).resume();
  await once(body, "end");
  expect(seen).toBe(16);
});

test("where all together are too many, the one that has been arriving longest gives way", async () => {
  const budget = bodyBudget(LIMIT);
  const slow = arriving(40);
  const slower = arriving(40);
  const first = readBody(slow.body, LIMIT, budget);
  const second = readBody(slower.body, LIMIT, budget);
  const gone = expect(first).rejects.toMatchObject({ code: "RETRY_AFTER" });
  const third = await readBody(quick(50), LIMIT, budget);
  expect(third.bytes).toHaveLength(50);
  await gone;
  expect(slow.body.isPaused()).toBe(true);
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
