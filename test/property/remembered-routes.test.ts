import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type LoadedProject, loadProject } from "@orgloop/config";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";

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
const delivery = fc.option(
  fc.constantFrom({ timeout: "5s" }, { retry: { initial_delay: "90s" } }, { order: "none" }),
  { nil: undefined },
);
const route: fc.Arbitrary<Route> = fc.record({
  source: fc.constantFrom("hub", "own", "missing", ["hub", "own"]),
  events: fc.constantFrom(
    "actor.stopped",
    ["resource.changed"],
    ["message.received", "actor.stopped"],
  ),
  actor: fc.constantFrom("bot", "helper", "other/bot"),
  more: fc.constantFrom(
    {},
    { enabled: false },
    { delivery: { retry: { max_delay: "1s" } } },
    { transforms: [{ ref: "drop" }] },
    { with: { prompt_file: "prompt.md" } },
    { with: {} },
    { description: "$" + "{vars.text}" },
  ),
});
/** The usual ones most of the time: what is wrong in one place is wrong in all. */
const usual = <Value>(value: Value, other: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
const variants: fc.Arbitrary<Variant> = fc.record({
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
  "the workspace changes": usual<object | undefined>(
    undefined,
    fc.constantFrom(
      { routes: { "team/r0": { description: "of the workspace" } } },
      { sources: { hub: { enabled: false } } },
      { teams: { team: { defaults: { delivery: { timeout: "7s" } } } } },
    ),
  ),
  "of the routes": usual<readonly Route[]>(
    [PLAIN, PROMPTED],
    fc.oneof(fc.constant([PROMPTED]), fc.array(route, { maxLength: 3 })),
  ),
});

function filesOf(variant: Variant): Record<string, object> {
  const group = (kind: string, items: object) => ({ ...HEAD, kind, ...items });
  const defaults = (own: object | undefined) => own && { defaults: { delivery: own } };
  const connector = "@orgloop/connector-webhook";
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
    "teams/other/team.yaml": group("Team", { exports: variant["bot is exported"] ? ["bot"] : [] }),
    "teams/other/actors.yaml": group("ConnectorGroup", {
      actors: [{ id: "bot", connector, config: {} }],
    }),
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
function told({ topology, errors, warnings, variables, instances, provenance }: LoadedProject) {
  const names = ["hub", "bot", "root", "team/r0", "team/r1", "team/own"];
  const origins = names.flatMap((name) =>
    (["source", "actor", "route"] as const).map((kind) => {
      const { layers = [], defaults = [], ...origin } = provenance.originOf(kind, name) ?? {};
      const all = [layers, defaults].map((some) => some.map((it) => [it.document.file, it.path]));
      return { ...origin, all };
    }),
  );
  return { topology, errors, warnings, variables, instances, origins };
}

it("a load that remembers says what one that does not says, whatever changed in between", async () => {
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(variants, { minLength: 2, maxLength: 5 }), async (all) => {
      const path = mkdtempSync(join(tmpdir(), "orgloop-remembered-"));
      const env = { ORGLOOP_HOME: join(path, "home") };
      for (const variant of all) {
        write(path, variant);
        const workspace = variant["the workspace changes"] ? "staging" : "default";
        for (const everyWorkspace of [false, true]) {
          const options = { path, workspace, everyWorkspace };
          const fresh = await loadProject({ ...options, env: { ORGLOOP_HOME: "/dev/null/none" } });
          expect(told(await loadProject({ ...options, env }))).toEqual(told(fresh));
          if (fresh.topology !== null) valid++;
          if (fresh.topology !== null) valid++;
        }
      }
      rmSync(path, { recursive: true });
    }),
    { numRuns: 40 },
  );
  // Only what is valid is remembered.
  expect(valid).toBeGreaterThan(60);
});

it("routes of which nothing changed are taken from what is remembered", async () => {
  const path = mkdtempSync(join(tmpdir(), "orgloop-remembered-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const [variant] = fc.sample(variants, { numRuns: 1, seed: 1 }) as [Variant];
  write(path, {
    ...variant,
    "hub is on": true,
    "hub emits": undefined,
    "bot is on": true,
    "of the routes": [{ source: "hub", events: ["actor.stopped"], actor: "bot", more: {} }],
  });
  const load = async () =>
    (await loadProject({ path, env: { ORGLOOP_HOME: join(path, "home") } })).topology;
  const concurrency = async () => (await load())?.routes.map((one) => one.delivery.concurrency);
  expect(await concurrency()).toEqual([16, 16]);
  const [file = ""] = readdirSync(join(path, "home/cache/config"));
  const cache = join(path, "home/cache/config", file);
  const remembered = readFileSync(cache, "utf8");
  writeFileSync(cache, remembered.replaceAll('"concurrency":16', '"concurrency":17'));
  expect(await concurrency()).toEqual([17, 17]);
});
