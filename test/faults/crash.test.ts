import { expect, test } from "vitest";
import { campaign } from "../campaign/crash.ts";

const KILLS = 10;

test(`the crash campaign in short: ${KILLS} kills under every kind of load break no promise`, async () => {
  let kills = 0;
  const { said, faults } = await campaign(() => {
    kills += 1;
    return kills < KILLS;
  });
  expect(faults, said).toEqual([]);
});
