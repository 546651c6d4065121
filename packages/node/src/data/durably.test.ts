import type { LogEntry } from "@orgloop/sdk";
import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { durably } from "./durably.ts";

function writing(refusals: number) {
  const clock = fakeClock();
  const stop = new AbortController();
  const entries: Omit<LogEntry, "timestamp">[] = [];
  const write = durably({ clock, log: (entry) => entries.push(entry), stop: stop.signal });
  let left = refusals;
  const result = write(
    "letter not written",
    async () => {
      if (left-- > 0) throw new Error("full");
      return "written";
    },
    { route: "r" },
  );
  return { clock, stop, entries, result };
}

test("it is tried every five seconds until the disk takes it, and each failure is told", async () => {
  const { clock, entries, result } = writing(2);
  await clock.advance(10_000);
  expect(await result).toEqual({ value: "written" });
  const error = "letter not written, will be tried again: full";
  expect(entries).toEqual(Array(2).fill({ route: "r", phase: "system.error", error }));
});

test("the end of the process ends the trying, after one last time", async () => {
  const { clock, stop, entries, result } = writing(9);
  await clock.advance(0);
  stop.abort();
  expect(await result).toBeNull();
  expect(entries.at(-1)?.error).toBe("letter not written: full");
  expect(entries).toHaveLength(2);
});
