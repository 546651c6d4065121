import { expect, test } from "vitest";
import { busWrites } from "./bus-writes.ts";

test("the last write decides; after a while another may be tried", async () => {
  let nowMs = 0;
  const writes = busWrites(() => nowMs);
  const refuse = () => expect(writes.note(Promise.reject(new Error("full")))).rejects.toThrow();
  expect(writes.refusal()).toBeNull();
  await refuse();
  expect(writes.refusal()).toBe("the bus takes no events: full");
  await writes.note(Promise.resolve());
  expect(writes.refusal()).toBeNull();
  await refuse();
  nowMs = 29_999;
  expect(writes.refusal()).not.toBeNull();
  await refuse();
  nowMs += 29_999;
  expect(writes.refusal()).not.toBeNull();
  nowMs += 1;
  expect(writes.refusal()).toBeNull();
});
