import { expect, test } from "vitest";
import {
  eventually,
  type Fixture,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  topologyOf,
} from "../process/process-fixture.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

function project() {
  const agent = recordingActor();
  const parts = { actors: { agent } };
  const routes = [
    { ...route("r", "s", "agent"), when: { source: ["s"], events: ["resource.changed"] } },
  ];
  return { agent, parts, topology: topologyOf(parts, routes as never) };
}

const draft = (n: number, trace_id: string) => ({
  id: `evt_${trace_id}${n}`,
  source: "s",
  provenance: { platform: "test" },
  payload: { n },
  trace_id,
});

const phases = ({ entries }: Fixture, phase: string) =>
  entries.filter((entry) => entry.phase === phase).map(({ event_id }) => event_id);

test("a trace that goes round is said to, then broken: its event is a dead letter that can be replayed", async () => {
  const { agent, parts, topology } = project();
  const process = await startFixture(topology, parts);
  for (let n = 1; n <= 6; n += 1) await process.inject([draft(n, "trc_loop")]);
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 2 }));
  expect(agent.got.map(({ payload }) => payload.n)).toEqual([1, 2, 3, 4]);
  expect(phases(process, "loop.detected")).toEqual([
    "evt_trc_loop2",
    "evt_trc_loop3",
    "evt_trc_loop4",
  ]);
  expect(phases(process, "loop.circuit_broken")).toEqual(["evt_trc_loop5", "evt_trc_loop6"]);
  const answer = await process.get("/control/dead-letters", { headers });
  const letters = (await answer.json()) as object[];
  expect(letters[0]).toMatchObject({ event_id: "evt_trc_loop5", reason: "poison", route: null });

  // A replay of all leaves what the breaker dropped; one that names it does not, and trips nothing.
  const all = await process.post(
    "/control/replay",
    { dry_run: true, since: "2020-01-01T00:00:00Z" },
    { headers },
  );
  expect(await all.json()).toMatchObject({ matched: 4 });
  await process.post("/control/replay", { events: ["evt_trc_loop5"] }, { headers });
  await agent.until(5);
  expect(agent.got[4]).toMatchObject({ id: "evt_trc_loop5", replay: 1 });
  expect(phases(process, "loop.circuit_broken")).toHaveLength(2);
});

test("a source that brings many events, each under a trace of its own, is never hit", async () => {
  const { agent, parts, topology } = project();
  const process = await startFixture(topology, parts);
  await process.inject(Array.from({ length: 500 }, (_, n) => draft(n, `trc_own${n}x`)));
  await agent.until(500);
  expect(phases(process, "loop.detected")).toEqual([]);
});
