import { type Actor, PermanentError } from "@orgloop/sdk";
import { fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { abandonment, callActor } from "./call-actor.ts";

function calling(deliver: Actor["deliver"]) {
  const clock = fakeClock();
  const drain = new AbortController();
  const state = { ended: false };
  const call = callActor(
    {
      event: {
        id: "evt_1",
        timestamp: "2026-11-01T00:00:00Z",
        source: "s",
        type: "resource.changed",
        provenance: { platform: "test" },
        payload: {},
        trace_id: "trc_1",
      },
      route: "r",
      actor: "agent",
      orderingKey: "k",
      config: {},
      replay: 0,
    },
    1,
    {
      actor: { deliver },
      deliveryId: "evt_1",
      timeoutMs: 1_000,
      abandonment: abandonment(drain.signal),
      clock,
      mask: (text) => text.replaceAll("s3cret", "***"),
    },
  ).finally(() => {
    state.ended = true;
  });
  call.catch(() => {});
  return { clock, drain, call, state };
}

test("after the timeout the call ends when the actor has let go, so that no retry runs beside it", async () => {
  const letGo = Promise.withResolvers<undefined>();
  const { clock, call, state } = calling((_, { signal }) => {
    expect(signal.aborted).toBe(false);
    return letGo.promise;
  });
  await clock.advance(5_000);
  expect(state.ended).toBe(false);
  letGo.reject(new Error("killed"));
  await expect(call).rejects.toMatchObject({ code: "TIMEOUT" });
});

test("an actor that does not mind its signal is left to itself ten seconds after the timeout", async () => {
  const { clock, call, state } = calling(() => new Promise(() => {}));
  await clock.advance(10_999);
  expect(state.ended).toBe(false);
  await clock.advance(1);
  await expect(call).rejects.toMatchObject({ code: "TIMEOUT" });
});

test("what the actor did deliver in the end counts, also after the timeout", async () => {
  const letGo = Promise.withResolvers<undefined>();
  const { clock, call } = calling(() => letGo.promise);
  await clock.advance(2_000);
  letGo.resolve(undefined);
  await expect(call).resolves.toBeUndefined();
});

test("a drain waits for nobody", async () => {
  const { drain, call } = calling(() => new Promise(() => {}));
  drain.abort();
  await expect(call).rejects.toMatchObject({ code: "DRAINING" });
});

test("what the actor threw says no secret, and is of its kind", async () => {
  const { call } = calling(() => Promise.reject(new PermanentError("401 for s3cret")));
  await expect(call).rejects.toMatchObject({ code: "PERMANENT", message: "401 for ***" });
});
