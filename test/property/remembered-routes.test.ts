import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { type LoadedProject, loadProject, planTopology } from "@orgloop/config";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";

/** Comes before the project's, where a file of routes may declare it: that is an error there. */
const SWITCHED_OFF = { sources: [{ id: "hub", connector: "x", enabled: false }] };
/** Long enough to be remembered. */
const PADDING = `\n# ${"-".repeat(20_000)}\n`;
const PROMPTS = ["prompt.md", "teams/team/prompt.md"];
const HEAD = { apiVersion: "orgloop/v1alpha1" };

/** What of the project changes from load to load. */
interface Variant {
  readonly "hub is on": boolean;
  readonly "hub emits": readonly string[] | undefined;
  readonly "bot is on": boolean;
  readonly "there is a transform": boolean;
  readonly "bot is exported": boolean;
  readonly "of the project": object | undefined;
  readonly "of the team": object | undefined;
  readonly prompts: { readonly [file: string]: string };
  readonly "the workspace changes": object | undefined;
  /** What a second file of the team's routes holds. */
  readonly "beside the routes": object;
  /** A team that has the same file of routes. */
  readonly "copied to": "team" | "third" | undefined;
  readonly "of the routes": readonly Route[];
}

interface Route {
  readonly source: string | readonly string[];
  readonly events: string | readonly string[];
  readonly actor: string;
  readonly more: object;
}

const PLAIN: Route = {
  source: "hub",
  events: ["resource.changed"],
  actor: "bot",
  more: {},
};
const PROMPTED: Route = {
  ...PLAIN,
  more: { with: { prompt_file: "prompt.md" } },
};
const CAPPED: Route = { ...PLAIN, more: { delivery: { retry: { max_delay: "1s" } } } };
/** Refers to what nothing else does. */
const OWN: Route = {
  ...PLAIN,
  actor: "helper",
  source: ["hub", "own"],
  events: ["message.received"],
};
const delivery = fc.option(
  fc.constantFrom({ timeout: "5s" }, { retry: { initial_delay: "90s" } }, { order: "none" }),
  { nil: undefined },
);
/** The usual ones most of the time: what is wrong in one place is wrong in all. */
const usual = <Value>(value: Value, other: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
const route: fc.Arbitrary<Route> = fc.record({
  source: usual<Route["source"]>("hub", fc.constantFrom("own", "missing", ["hub", "own"])),
  events: usual<Route["events"]>(
    ["resource.changed"],
    fc.constantFrom("actor.stopped", ["message.received", "actor.stopped"]),
  ),
  actor: usual("bot", fc.constantFrom("helper", "other/bot")),
  more: fc.constantFrom(
    {},
    { enabled: false },
    { delivery: { retry: { max_delay: "1s" } } },
    { transforms: [{ ref: "drop" }] },
    { with: { prompt_file: "prompt.md" } },
    { with: {} },
    { delivery: { timeout: "soon" } },
    { description: "$" + "{vars.text}" },
  ),
});
const routes: fc.Arbitrary<readonly Route[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom([PLAIN, PROMPTED], [PROMPTED], [CAPPED], [OWN]) },
  { weight: 4, arbitrary: fc.array(route, { maxLength: 3 }) },
);
const surroundings: fc.Arbitrary<Omit<Variant, "of the routes">> = fc.record({
  "hub is on": usual<boolean>(true, fc.boolean()),
  "hub emits": usual<string[] | undefined>(undefined, fc.constant(["resource.changed"])),
  "bot is on": usual<boolean>(true, fc.boolean()),
  "there is a transform": usual<boolean>(true, fc.boolean()),
  "bot is exported": fc.boolean(),
  "of the project": delivery,
  "of the team": delivery,
  prompts: usual<Record<string, string>>(
    { "prompt.md": "Do it." },
    fc.constantFrom(
      {},
      { "prompt.md": "Do it now." },
      { "prompt.md": "---\ntitle: [\n---\nDo it." },
      { "prompt.md": "Do it.", "teams/team/prompt.md": "Do what the team does." },
    ),
  ),
  "the workspace changes": fc.option(
    fc.constantFrom<object[]>(
      { routes: { "team/r0": { description: "of the workspace" } } },
      { routes: { "team/r0": { then: { actor: "bot" }, when: { source: "hub" } } } },
      { sources: { hub: { enabled: false } } },
      { teams: { team: { defaults: { delivery: { timeout: "7s" } } } } },
    ),
    { nil: undefined, freq: 2 },
  ),
  "beside the routes": usual<object>({}, fc.constantFrom(SWITCHED_OFF, { routes: [] })),
  "copied to": usual<Variant["copied to"]>(undefined, fc.constantFrom("team", "third")),
});

const SURROUNDINGS: Omit<Variant, "of the routes"> = {
  "hub is on": true,
  "hub emits": undefined,
  "bot is on": true,
  "there is a transform": false,
  "bot is exported": false,
  "of the project": undefined,
  "of the team": undefined,
  prompts: {},
  "the workspace changes": undefined,
  "beside the routes": {},
  "copied to": undefined,
};

/** Most of the time the file of the routes stays as it is while other things change. */
const histories: fc.Arbitrary<readonly Variant[]> = fc
  .tuple(
    routes,
    fc.array(fc.tuple(surroundings, usual<readonly Route[] | undefined>(undefined, routes)), {
      minLength: 2,
      maxLength: 5,
    }),
  )
  .map(([first, all]) =>
    all.map(([around, other]) => ({ ...around, "of the routes": other ?? first })),
  );

function filesOf(variant: Variant): Record<string, object> {
  const group = (kind: string, items: object) => ({ ...HEAD, kind, ...items });
  const defaults = (own: object | undefined) => own && { defaults: { delivery: own } };
  const connector = "@orgloop/connector-webhook";
  const copy = variant["copied to"];
  const routes = variant["of the routes"].map(({ source, events, actor, more }, at) => ({
    name: `r${at}`,
    when: { source, events },
    then: { actor },
    ...more,
  }));
  const hub = { id: "hub", connector, config: {}, enabled: variant["hub is on"] };
  return {
    "orgloop.yaml": group("Project", {
      metadata: { name: "demo" },
      vars: { text: "of the project" },
      connectors: ["all.yaml"],
      transforms: variant["there is a transform"] ? ["transforms.yaml"] : [],
      ...defaults(variant["of the project"]),
    }),
    "all.yaml": group("ConnectorGroup", {
      sources: [{ ...hub, emits: variant["hub emits"] }],
      actors: [
        { id: "bot", connector, config: {}, enabled: variant["bot is on"] },
        { id: "helper", connector, config: {} },
      ],
    }),
    "transforms.yaml": group("TransformGroup", {
      transforms: [{ name: "drop", type: "package", package: "@orgloop/transform-filter" }],
    }),
    "teams/team/team.yaml": group("Team", defaults(variant["of the team"]) ?? {}),
    "teams/team/sources.yaml": group("ConnectorGroup", {
      sources: [{ id: "own", connector, config: {} }],
    }),
    "teams/team/routes.yaml": group("RouteGroup", { routes }),
    "teams/team/more.yaml": group("RouteGroup", variant["beside the routes"]),
    ...(copy && { [`teams/${copy}/copy.yaml`]: group("RouteGroup", { routes }) }),
    "teams/other/team.yaml": group("Team", { exports: variant["bot is exported"] ? ["bot"] : [] }),
    "teams/other/actors.yaml": group("ConnectorGroup", {
      actors: [{ id: "bot", connector, config: {} }],
    }),
    "teams/third/team.yaml": group("Team", {}),
    "routes/root.yaml": group("RouteGroup", {
      routes: [
        {
          name: "root",
          when: { source: "hub", events: "actor.stopped" },
          then: { actor: "bot" },
        },
      ],
    }),
    "workspaces/staging.yaml": group("Workspace", {
      metadata: { name: "staging" },
      ...variant["the workspace changes"],
    }),
  };
}

function write(path: string, variant: Variant): void {
  rmSync(join(path, "teams"), { recursive: true, force: true });
  for (const [file, value] of Object.entries(filesOf(variant))) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), JSON.stringify(value) + PADDING);
  }
  for (const file of PROMPTS) rmSync(join(path, file), { force: true });
  for (const [file, text] of Object.entries(variant.prompts)) {
    writeFileSync(join(path, file), text);
  }
}

/** All that a load says. */
function told(project: LoadedProject) {
  const { topology, errors, warnings, variables, instances, provenance } = project;
  const names = ["hub", "bot", "root", "team/r0", "team/r1", "team/own"];
  const origins = names.flatMap((name) =>
    (["source", "actor", "route"] as const).map((kind) => {
      const owner = provenance.ownerOf(kind, name);
      const { layers = [], defaults = [], ...origin } = provenance.originOf(kind, name) ?? {};
      const all = [layers, defaults].map((some) => some.map((it) => [it.document.file, it.path]));
      return { ...origin, all, owner };
    }),
  );
  return { topology, errors, warnings, variables, instances, origins };
}

/** The plan of a project of which nothing was applied; with `routes`, most of what it holds is made when it is looked at. */
const planned = ({ topology }: LoadedProject, routes?: LoadedProject["routes"]) =>
  topology &&
  planTopology(null, topology, routes).changes.map(({ kind, name, action, from, to }) => [
    kind,
    name,
    action,
    from,
    to,
  ]);

/** Loads each in turn, and compares what is told with what a load tells that remembers nothing; gives how many were valid. */
async function loadEach(all: readonly Variant[]): Promise<number> {
  const path = mkdtempSync(join(tmpdir(), "orgloop-remembered-"));
  const env = { ORGLOOP_HOME: join(path, "home") };
  let valid = 0;
  for (const variant of all) {
    write(path, variant);
    const workspace = variant["the workspace changes"] ? "staging" : "default";
    for (const everyWorkspace of [false, true]) {
      const options = { path, workspace, everyWorkspace };
      const fresh = await loadProject({ ...options, env: { ORGLOOP_HOME: "/dev/null/none" } });
      const project = await loadProject({ ...options, env });
      expect(planned(project, project.routes)).toEqual(planned(fresh));
      expect(told(project)).toEqual(told(fresh));
      if (fresh.topology !== null) valid++;
    }
  }
  rmSync(path, { recursive: true });
  return valid;
}

it("a load that remembers says what one that does not says, whatever changed in between", async () => {
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(histories, async (all) => {
      valid += await loadEach(all);
    }),
    { numRuns: 40 },
  );
  // Only what is valid is remembered.
  expect(valid).toBeGreaterThan(40);
});

it("what a workspace makes of a route is not taken for what is written, nor the other way round", async () => {
  const plain: Variant = {
    ...SURROUNDINGS,
    "of the routes": [OWN, PLAIN],
  };
  const changed: Variant = {
    ...plain,
    "the workspace changes": {
      routes: { "team/r0": { then: { actor: "bot" }, when: { source: "hub" } } },
    },
  };
  expect(await loadEach([plain, changed, plain])).toBe(6);
  expect(await loadEach([changed, plain, changed])).toBe(6);
});

it("the same file in another team is another team's", async () => {
  const plain: Variant = { ...SURROUNDINGS, "of the routes": [PLAIN] };
  expect(await loadEach([plain, { ...plain, "copied to": "third" }, plain])).toBe(6);
});

it("what stands in a file of routes by mistake is what the routes of another one refer to", async () => {
  const plain: Variant = { ...SURROUNDINGS, "of the routes": [PLAIN] };
  expect(await loadEach([plain, { ...plain, "beside the routes": SWITCHED_OFF }, plain])).toBe(4);
});

it("routes of which nothing changed are taken from what is remembered", async () => {
  const path = mkdtempSync(join(tmpdir(), "orgloop-remembered-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  write(path, {
    ...SURROUNDINGS,
    "of the routes": [{ source: "hub", events: ["actor.stopped"], actor: "bot", more: {} }],
  });
  const names = async () => {
    const { topology } = await loadProject({ path, env: { ORGLOOP_HOME: join(path, "home") } });
    return topology?.routes.map(({ name }) => name);
  };
  expect(await names()).toEqual(["root", "team/r0"]);
  const [file = ""] = readdirSync(join(path, "home/cache/config"));
  const cache = join(path, "home/cache/config", file);
  const changed = readFileSync(cache, "utf8")
    .replaceAll('["team/r0"]', '["team/r1"]')
    .replaceAll(
      /^(\S+ \S* \S*) \d+ (.*)$/gm,
      (_, head, json) => `${head} ${crc32(head + json)} ${json}`,
    );
  writeFileSync(cache, changed);
  expect(await names()).toEqual(["root", "team/r1"]);
});
