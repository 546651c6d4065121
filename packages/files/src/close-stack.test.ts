import { expect, test } from "vitest";
import { CloseStack } from "./close-stack.ts";

function recording(...failing: readonly string[]) {
  const closed: string[] = [];
  const stack = new CloseStack();
  for (const name of ["first", "second", "third"]) {
    stack.defer(async () => {
      closed.push(name);
      if (failing.includes(name)) throw new Error(`${name} failed`);
    });
  }
  return { closed, stack };
}

test("what is opened last is closed first, and once", async () => {
  const { closed, stack } = recording();
  await stack.disposeAsync();
  await stack.disposeAsync();
  expect(closed).toEqual(["third", "second", "first"]);
});

test("what fails keeps nothing else open, and is told", async () => {
  const one = recording("second");
  await expect(one.stack.disposeAsync()).rejects.toThrow("second failed");
  expect(one.closed).toEqual(["third", "second", "first"]);
  const { errors } = await recording("first", "third")
    .stack.disposeAsync()
    .catch((error) => error);
  expect(errors.map(String)).toEqual(["Error: third failed", "Error: first failed"]);
});

test("a block that fails closes what it opened; what was moved stays open", async () => {
  const { closed, stack } = recording();
  await expect(
    (async () => {
      await using _ = stack;
      throw new Error("no more");
    })(),
  ).rejects.toThrow("no more");
  expect(closed).toHaveLength(3);
  const moving = recording();
  const kept = await (async () => {
    await using opened = moving.stack;
    return opened.move();
  })();
  expect(moving.closed).toEqual([]);
  await kept.disposeAsync();
  expect(moving.closed).toHaveLength(3);
});
