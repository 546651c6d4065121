import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { type FairPoolOptions, fairPool } from "./fair-pool.ts";

const never = new AbortController().signal;

function trial(options: FairPoolOptions) {
  const pool = fairPool(options);
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    running,
    begin: (owner: string, name: string, signal = never) =>
      pool.run(
        owner,
        async () => {
          running.push(name);
          await new Promise<void>((resolve) => ends.set(name, resolve));
          running.splice(running.indexOf(name), 1);
        },
        signal,
      ),
    end(name: string) {
      ends.get(name)?.();
      return setImmediate();
    },
  };
}

test("no more than there are places, none for an owner beyond its share, the owners in turn", async () => {
  const { begin, end, running } = trial({ places: 3, each: 2 });
  for (const name of ["a1", "a2", "a3", "a4"]) void begin("a", name);
  for (const name of ["b1", "b2"]) void begin("b", name);
  void begin("c", "c1");
  await setImmediate();
  expect(running).toEqual(["a1", "a2", "b1"]);
  await end("a1");
  expect(running).toEqual(["a2", "b1", "a3"]);
  await end("b1");
  expect(running).toEqual(["a2", "a3", "b2"]);
  await end("b2");
  expect(running).toEqual(["a2", "a3", "c1"]);
});

test("what is slow gives its place back, and its owner gets no more than its share", async () => {
  const { begin, end, running } = trial({ places: 1, each: 1, slowMs: 1, most: 2 });
  void begin("loop", "loop1");
  void begin("loop", "loop2");
  const done = begin("quick", "quick1");
  await expect.poll(() => running).toEqual(["loop1", "quick1"]);
  void begin("quick", "quick2");
  await end("quick1");
  await done;
  expect(running).toEqual(["loop1", "quick2"]);
});

test("who gives up while it waits is told why, and takes no place", async () => {
  const { begin, end, running } = trial({ places: 1, each: 1 });
  const stop = new AbortController();
  void begin("a", "a1");
  const given = begin("b", "b1", stop.signal);
  void begin("c", "c1");
  stop.abort(new Error("stopping"));
  await expect(given).rejects.toThrow("stopping");
  await expect(begin("b", "b2", stop.signal)).rejects.toThrow("stopping");
  await end("a1");
  expect(running).toEqual(["c1"]);
});

test("a task that fails gives its place back", async () => {
  const pool = fairPool({ places: 1, each: 1 });
  const fail = () => Promise.reject(new Error("broken"));
  await expect(pool.run("a", fail, never)).rejects.toThrow("broken");
  expect(await pool.run("a", async () => 1, never)).toBe(1);
});
