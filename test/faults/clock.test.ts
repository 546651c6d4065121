import { expect, test } from "vitest";
import { campaign } from "../campaign/clock.ts";

const ROUNDS = 6;

test("the clock campaign in short: steps of the machine's clock stop nothing and flood nobody", async () => {
  let rounds = 0;
  const { said, faults } = await campaign(() => {
    rounds += 1;
    return rounds < ROUNDS;
  });
  expect(faults, said).toEqual([]);
});
