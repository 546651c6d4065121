import { expect, test } from "vitest";
import { campaign } from "../campaign/damage.ts";

test("the damage campaign in short: whatever is damaged in a data directory is said, and nothing else is lost", async () => {
  const { said, faults } = await campaign(() => false);
  expect(faults, said).toEqual([]);
});
