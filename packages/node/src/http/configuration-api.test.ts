import { topologyHash } from "@orgloop/config";
import { expect, test } from "vitest";
import { awaiting, configured, hook, running } from "../apply/apply-fixture.ts";
import { route, TOKEN } from "../process/process-fixture.ts";

const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function serving(...given: Parameters<typeof running>) {
  const all = await running(...given);
  const { process } = all;
  const read = async (response: Promise<Response>): Promise<Answer> => {
    const { status, ...answer } = await response.then(async (got) => ({
      status: got.status,
      body: (await got.json()) as Answer["body"],
    }));
    return { status, ...answer };
  };
  return {
    ...all,
    get: (path: string) => read(process.get(`/control/${path}`, { headers })),
    post: (body: unknown) => read(process.post("/control/apply", body, { headers })),
  };
}

test("what runs is told with its serial and hash, and applied by them", async () => {
  const first = { ...hook, actors: { a: {} }, routes: [route("one", "hook", "a")] };
  const { get, post } = await serving(first);
  const hash = topologyHash(configured(first));
  expect(await get("topology")).toEqual({
    status: 200,
    body: { serial: 1, hash, topology: configured(first) },
  });
  const topology = configured({ ...first, actors: { a: {}, b: {} } });
  expect(await post({ topology, expect: { serial: 1, hash } })).toEqual({
    status: 200,
    body: { serial: 2, hash: topologyHash(topology), summary: "1 actor added", renewed: [] },
  });
  expect(await get("topology")).toMatchObject({ body: { serial: 2, topology } });
  expect(await post({ topology })).toMatchObject({
    status: 200,
    body: { serial: 2, summary: expect.stringMatching(/^No changes/) },
  });
});

test("a plan made from another state is refused, naming both", async () => {
  const { post } = await serving(hook);
  const topology = configured({});
  const stale = { serial: 7, hash: "abcdef0123456789" };
  const { status, body } = await post({ topology, expect: stale });
  expect([status, body.code]).toEqual([409, "STATE_MISMATCH"]);
  expect(body.error).toMatch(/serial 7 \(abcdef012345\).*serial 1 \([0-9a-f]{12}\) runs/);
  expect(await post({ topology, expect: { serial: 0, hash: null } })).toMatchObject({
    status: 409,
  });
});

test("what waits is counted by route and actor, also where the configuration has them no more, or not yet", async () => {
  const first = {
    ...hook,
    actors: { a: {} },
    routes: [route("one", "hook", "a"), awaiting("two", "hook", "later")],
  };
  const { get, apply, send, record, process } = await serving(first);
  const held = record.hold(1);
  await send({ key: "k" });
  await send({ key: "k" });
  await expect.poll(() => process.status().actors[0]?.queued).toBe(1);
  const queues = { routes: { one: 2, two: 2 }, actors: { a: 2, later: 2 } };
  await expect.poll(() => get("queues")).toEqual({ status: 200, body: queues });
  await apply({ ...hook, routes: first.routes.slice(1) });
  expect((await get("queues")).body).toEqual(queues);
  held.resolve();
  await expect
    .poll(async () => (await get("queues")).body)
    .toEqual({ routes: { two: 2 }, actors: { later: 2 } });
});

test.each([
  ["{", "INVALID_JSON", "no JSON"],
  [{}, "INVALID_TOPOLOGY", "topology: Invalid input"],
  [
    { topology: { ...configured(hook), routes: [{ name: "r" }] } },
    "INVALID_TOPOLOGY",
    "routes.0.when",
  ],
  [
    { topology: { ...configured(hook), sources: [0, 1].map(() => configured(hook).sources[0]) } },
    "INVALID_TOPOLOGY",
    'topology.sources.1.id: "hook" stands twice',
  ],
  [{ topology: configured(hook), expect: { serial: "1" } }, "INVALID_REQUEST", "serial, hash"],
])("nonsense is refused: %j", async (body, code, said) => {
  const { post, get } = await serving(hook);
  const answer = await post(body);
  expect(answer).toMatchObject({ status: 400, body: { code } });
  expect(answer.body.error).toContain(said);
  expect(await get("topology")).toMatchObject({ body: { serial: 1 } });
});

// biome-ignore lint/suspicious/noTemplateCurlyInString: references of the language
const wanting = configured({ sources: { hook: { a: "${ONE}", b: "${TWO}" } } });

test.each([
  [wanting, "MISSING_VARIABLES", /2 variables are not set.*ONE: source "hook"\n {2}TWO/s],
  [{ ...configured(hook), bus: { url: "file" } }, "RESTART_NEEDED", /^bus changes.*orgloop stop/],
  [
    {
      ...configured(hook),
      defaults: { ...configured(hook).defaults, checkpoint: { store: "memory" }, data_dir: "/x" },
    },
    "RESTART_NEEDED",
    /^defaults\.data_dir, defaults\.checkpoint change/,
  ],
  [configured({ ...hook, routes: [route("r", "hook", "nobody")] }), "INVALID_ROUTE", /"nobody"/],
  [
    configured({
      ...hook,
      actors: { a: {} },
      routes: [route("r", "hook", "a", { max_rate: "x" })],
    }),
    "INVALID_ROUTE",
    /route "r"/,
  ],
  [
    { ...configured(hook), defaults: { ...configured(hook).defaults, event_retention: "long" } },
    "INVALID_DURATION",
    /long/,
  ],
])("what cannot run is refused, and the old goes on: %#", async (topology, code, said) => {
  const { post, send, get } = await serving(hook);
  const answer = await post({ topology });
  expect(answer).toMatchObject({ status: 422, body: { code } });
  expect(answer.body.error).toMatch(said);
  expect(await get("topology")).toMatchObject({ body: { serial: 1, topology: configured(hook) } });
  await send();
});

test("it takes the token", async () => {
  const { process } = await serving(hook);
  for (const path of ["topology", "queues"]) {
    expect((await process.get(`/control/${path}`)).status).toBe(401);
  }
  const topology = configured({});
  expect((await process.post("/control/apply", { topology })).status).toBe(401);
});
