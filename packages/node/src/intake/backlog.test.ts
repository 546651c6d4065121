import type { OrgLoopEvent } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { recentEvents } from "../telemetry/activity.ts";
import { backlog } from "./backlog.ts";

const event = (source: string, id: string): OrgLoopEvent => testEvent({ id, source });

test("counts each event once, whatever comes and goes", () => {
  const step = fc.record({
    enter: fc.boolean(),
    source: fc.constantFrom("a", "b"),
    id: fc.constantFrom("1", "2", "3", "4"),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const waiting = backlog({ perSource: 10, total: 10 });
      const model = new Set<string>();
      for (const { enter, source, id } of steps) {
        const key = `${source} ${id}`;
        if (enter) {
          waiting.enter(event(source, id));
          model.add(key);
        } else {
          waiting.leave(event(source, id));
          model.delete(key);
        }
        expect(waiting.size).toBe(model.size);
      }
    }),
  );
});

test("a source at its bound waits for its own events, a full process for any", async () => {
  const waiting = backlog({ perSource: 2, total: 3 });
  const never = new AbortController().signal;
  waiting.enter(event("a", "1"));
  waiting.enter(event("a", "2"));
  const admitted: string[] = [];
  const admit = (source: string) => waiting.room(source, never).then(() => admitted.push(source));
  const a = admit("a");
  expect(await waiting.room("b", never)).toBe(true);
  waiting.enter(event("b", "1"));
  const c = admit("c");
  await Promise.resolve();
  expect(admitted).toEqual([]);
  waiting.leave(event("b", "1"));
  await c;
  expect(admitted).toEqual(["c"]);
  waiting.leave(event("a", "1"));
  await a;
});

test("who loses patience is told so, and leaves nothing behind", async () => {
  const waiting = backlog({ perSource: 1, total: 10 });
  waiting.enter(event("a", "1"));
  const patience = new AbortController();
  const impatient = waiting.room("a", patience.signal);
  const patient = waiting.room("a", new AbortController().signal);
  patience.abort();
  expect(await impatient).toBe(false);
  expect(await waiting.room("a", patience.signal)).toBe(false);
  waiting.leave(event("a", "1"));
  expect(await patient).toBe(true);
});

test("the history holds the last events, newest last", () => {
  const history = recentEvents(3);
  for (let n = 0; n < 5; n += 1) {
    history.add({
      event_id: `evt_${n}`,
      timestamp: new Date(n).toISOString(),
      source: "a",
      type: "resource.changed",
      matched_routes: [],
      sop_files: [],
      actors: [],
      processing_ms: 0,
      module: "acme",
      trace_id: "trc_1",
    });
  }
  expect(history.query({}).map(({ event_id }) => event_id)).toEqual(["evt_2", "evt_3", "evt_4"]);
  expect(history.query({ limit: 0 })).toEqual([]);
  expect(history.query({ limit: 2 }).map(({ event_id }) => event_id)).toEqual(["evt_3", "evt_4"]);
});
