import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OrgLoopEvent, RouteSpec, Topology, TransformSpec } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { pluginLookup } from "../plugins/plugins.ts";
import { route, temporaryDir, topologyOf } from "../process/process-fixture.ts";
import { compareRouting, type RoutingComparison } from "./compare-routing.ts";

const packaged = (name: string, type: string, config: object): TransformSpec => ({
  name,
  type: "package",
  package: `@orgloop/transform-${type}`,
  config: { ...config },
  timeout_ms: 30_000,
  on_error: "pass",
});

function topology(
  routes: readonly RouteSpec[],
  transforms: readonly TransformSpec[] = [],
): Topology {
  return { ...topologyOf({}, routes), transforms };
}

const event = (number: number, payload: object = {}): OrgLoopEvent =>
  testEvent({ id: `evt_${number}`, source: "s", payload: { number, ...payload } });

interface Options {
  readonly dir?: string;
  readonly env?: Record<string, string>;
}

async function compare(
  before: Topology | null,
  after: Topology,
  events: readonly OrgLoopEvent[],
  { dir = "/", env = {} }: Options = {},
): Promise<RoutingComparison> {
  async function* stream() {
    for (const [minute, one] of events.entries()) yield { event: one, atMs: minute * 60_000 };
  }
  const lookup = pluginLookup({ projectDir: dir });
  return compareRouting({
    before,
    after,
    projectDir: dir,
    env,
    lookup,
    events: stream(),
    warn() {},
  });
}

const NONE = {
  now_routed: 0,
  no_longer_routed: 0,
  now_dropped: 0,
  no_longer_dropped: 0,
  delivered_otherwise: 0,
};

test("a filter that changed: which events are routed, and which are not any more", async () => {
  const withFilter = (action: string): RouteSpec => ({
    ...route("review", "s", "agent"),
    when: { source: ["s"], events: ["resource.changed"], filter: { "payload.action": action } },
  });
  const events = [1, 2, 3].map((n) => event(n, { action: n === 3 ? "closed" : "opened" }));
  expect(
    await compare(topology([withFilter("opened")]), topology([withFilter("closed")]), events),
  ).toEqual({
    events: 3,
    changed: 3,
    routes: [
      {
        route: "review",
        counts: { ...NONE, now_routed: 1, no_longer_routed: 2 },
        examples: [
          {
            event_id: "evt_1",
            change: "no_longer_routed",
            from: "delivered to agent",
            to: "not routed",
          },
          {
            event_id: "evt_2",
            change: "no_longer_routed",
            from: "delivered to agent",
            to: "not routed",
          },
          { event_id: "evt_3", change: "now_routed", from: "not routed", to: "delivered to agent" },
        ],
      },
    ],
    not_compared: [],
  });
});

test("transforms really run: a new one drops, one that is gone does not, dedup sees the events' own time", async () => {
  const using = (...refs: string[]): RouteSpec => ({
    ...route("all", "s", "agent"),
    transforms: refs.map((ref) => ({ ref })),
  });
  const once = packaged("once", "dedup", { key: ["source"], window: "150s" });
  const odd = packaged("odd", "filter", { exclude: { "payload.number": 2 } });
  const events = [1, 2, 3, 4].map((n) => event(n));
  const found = await compare(
    topology([using("odd")], [odd]),
    topology([using("once")], [once]),
    events,
  );
  expect(found.routes).toEqual([
    {
      route: "all",
      counts: { ...NONE, now_dropped: 1 },
      examples: [
        {
          event_id: "evt_3",
          change: "now_dropped",
          from: "delivered to agent",
          to: "dropped by once",
        },
      ],
    },
  ]);
  const back = await compare(topology([using("once")], [once]), topology([using()]), events);
  expect(back.routes[0]?.counts).toEqual({ ...NONE, no_longer_dropped: 2 });
});

test("what the actor sees: the transformed event, its config, the prompt, the order; not the delivery policy", async () => {
  const base = route("all", "s", "agent");
  const enrich = (value: string) => packaged("mark", "enrich", { set: { "payload.mark": value } });
  const changed = async (after: Topology) => {
    const before = topology([{ ...base, transforms: [{ ref: "mark" }] }], [enrich("a")]);
    const { routes } = await compare(before, after, [event(1)]);
    return routes[0]?.examples[0];
  };
  const marked = { ...base, transforms: [{ ref: "mark" }] };
  expect(await changed(topology([marked], [enrich("b")]))).toMatchObject({
    change: "delivered_otherwise",
    from: { "event.payload.mark": "a" },
    to: { "event.payload.mark": "b" },
  });
  const other = { ...marked, then: { actor: "other", config: { to: "{{payload.number}}" } } };
  expect(await changed(topology([other], [enrich("a")]))).toMatchObject({
    from: { actor: "agent" },
    to: { actor: "other", "config.to": "1" },
  });
  const policy = { ...marked, delivery: { ...marked.delivery, timeout: "1s" } };
  expect(await changed(topology([policy], [enrich("a")]))).toBeUndefined();
});

test("of long texts the part is told that differs", async () => {
  const base = route("all", "s", "agent");
  const reported = (end: string): RouteSpec => ({
    ...base,
    with: {
      prompt_file: "p.md",
      prompt: { file: "p.md", text: `${"same ".repeat(50)}${end}`, meta: null },
    },
  });
  const { routes } = await compare(topology([reported("old")]), topology([reported("new")]), [
    event(1),
  ]);
  expect(routes[0]?.examples[0]).toMatchObject({
    from: { "prompt.text": "…e same same old" },
    to: { "prompt.text": "…e same same new" },
  });
});

test("a project against itself: nothing differs, and nothing is run", async () => {
  const broken = packaged("none", "that-does-not-exist", {});
  const same = topology([{ ...route("all", "s", "a"), transforms: [{ ref: "none" }] }], [broken]);
  const found = await compare(same, same, [event(1), event(2)]);
  expect(found).toEqual({ events: 2, changed: 0, routes: [], not_compared: [] });
});

test("a transform that cannot be opened leaves its route out, and says so; the others are compared", async () => {
  const broken = packaged("none", "that-does-not-exist", {});
  const after = topology(
    [{ ...route("all", "s", "a"), transforms: [{ ref: "none" }] }, route("new", "s", "a")],
    [broken],
  );
  const found = await compare(topology([route("all", "s", "a")]), after, [event(1)]);
  expect(found.routes.map((one) => one.route)).toEqual(["new"]);
  expect(found.not_compared).toEqual([
    { route: "all", reason: expect.stringContaining('transform "none" could not be started: ') },
  ]);
});

test("scripts run; a filter's reference is resolved, a secret in a config is not shown", async () => {
  const dir = await temporaryDir();
  await writeFile(join(dir, "drop.sh"), "#!/bin/sh\nexit 1\n");
  await chmod(join(dir, "drop.sh"), 0o755);
  const script: TransformSpec = { ...packaged("drop", "x", {}), type: "script", script: "drop.sh" };
  const base = route("all", "s", "a");
  const after = topology([{ ...base, transforms: [{ ref: "drop" }] }], [script]);
  const dropped = await compare(topology([base]), after, [event(1)], { dir });
  expect(dropped.routes[0]?.examples[0]?.to).toBe("dropped by drop");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
  const reference = "${WORD}";
  const secretly = {
    ...base,
    when: { ...base.when, filter: { "payload.word": reference } },
    then: { actor: "b", config: { token: reference } },
  };
  const options = { env: { WORD: "hush" } };
  const said = await compare(
    topology([base]),
    topology([secretly]),
    [event(1, { word: "hush" })],
    options,
  );
  expect(said.routes[0]?.examples[0]).toMatchObject({
    to: { actor: "b", "config.token": reference },
  });
});

test("a secret that is written out in a config is not shown", async () => {
  const base = route("all", "s", "a");
  const open = { ...base, then: { actor: "a", config: { token: "plain" } } };
  const { routes } = await compare(topology([base]), topology([open]), [event(1)]);
  expect(routes[0]?.counts.delivered_otherwise).toBe(1);
  expect(JSON.stringify(routes)).not.toContain("plain");
});

test("where nothing was applied before, every event that is routed is new", async () => {
  const found = await compare(null, topology([route("all", "s", "a")]), [event(1)]);
  expect(found.routes[0]?.counts).toEqual({ ...NONE, now_routed: 1 });
});
