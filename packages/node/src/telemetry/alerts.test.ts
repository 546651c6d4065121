import type { LogEntry } from "@orgloop/sdk";
import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { alerts } from "./alerts.ts";

test("an alert comes once a kind, route and window, and then says how often it happened since", async () => {
  const clock = fakeClock();
  const entries: Omit<LogEntry, "timestamp">[] = [];
  const alert = alerts({ log: (entry) => entries.push(entry), now: clock.now });
  const drop = (route: string) => alert("backpressure", { route, target: "agent", error: "full" });
  for (let n = 0; n < 1_000; n += 1) drop("a");
  drop("b");
  alert("dead_letters", { route: "a", target: "agent" });
  expect(entries.map(({ phase, result, route }) => [phase, result, route])).toEqual([
    ["alert", "backpressure", "a"],
    ["alert", "backpressure", "b"],
    ["alert", "dead_letters", "a"],
  ]);
  expect(entries[0]).toMatchObject({ target: "agent", error: "full", metadata: { count: 1 } });
  await clock.advance(3_600_000);
  drop("a");
  drop("a");
  expect(entries).toHaveLength(4);
  expect(entries[3]).toMatchObject({ route: "a", metadata: { count: 1_000 } });
});
