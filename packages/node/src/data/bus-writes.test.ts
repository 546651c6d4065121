import { expect, test } from "vitest";
import { busWrites } from "./bus-writes.ts";

test("the last write decides; after a while another may be tried", async () => {
  let nowMs = 0;
  const writes = busWrites({ now: () => nowMs, hasRoom: async () => true });
  const refuse = () => expect(writes.note(Promise.reject(new Error("full")))).rejects.toThrow();
  expect(writes.refusal()).toBeNull();
  await refuse();
  expect(writes.refusal()).toBe("the bus takes no events: full");
  await writes.look();
  expect(writes.refusal()).not.toBeNull();
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

test("a full disk is looked at when somebody asks, at most every second", async () => {
  let nowMs = 0;
  let looks = 0;
  let room = false;
  const writes = busWrites({
    now: () => nowMs,
    async hasRoom() {
      looks += 1;
      return room;
    },
  });
  await writes.look();
  expect(looks).toBe(0);
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  await expect(writes.note(Promise.reject(full))).rejects.toThrow();
  await Promise.all([writes.look(), writes.look()]);
  expect([looks, writes.refusal()]).toEqual([1, expect.stringContaining("Free some space")]);
  room = true;
  nowMs = 999;
  await writes.look();
  expect([looks, writes.refusal()]).toEqual([1, expect.any(String)]);
  nowMs = 1_000;
  await writes.look();
  expect([looks, writes.refusal()]).toEqual([2, null]);
});
