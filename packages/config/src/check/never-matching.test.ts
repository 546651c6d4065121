import { compileMatcher } from "@orgloop/engine";
import {
  defineConnector,
  type EventType,
  type OrgLoopEvent,
  type PluginDefinition,
} from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const HEAD = "apiVersion: orgloop/v1alpha1\nkind:";
const config = z.looseObject({});

const lookup = async (id: string): Promise<PluginDefinition> => {
  const emits: readonly EventType[] = ["resource.changed"];
  const source = { config, create: async () => ({}), ...(id === "changes" && { emits }) };
  const actor = {
    config,
    create: async () => ({ deliver: async () => ({ status: "delivered" }) }),
  };
  return defineConnector({ id, source, actor } as never) as PluginDefinition;
};

const SOURCES = `sources:
  - { id: hook, connector: any }
  - { id: changes, connector: changes }
actors:
  - { id: agent, connector: any }
  - { id: other, connector: any }
`;

/** What `validate` warns of these routes, each at its place. */
async function warnings(files: Readonly<Record<string, string>>): Promise<string[]> {
  const path = temporaryProject({
    "orgloop.yaml": `${HEAD} Project\nmetadata: { name: demo }\n${SOURCES}`,
    ...files,
  });
  const loaded = await loadProject({ path, env: { ORGLOOP_HOME: "/dev/null/none" }, lookup });
  expect(loaded.errors).toEqual([]);
  return loaded.warnings
    .filter(({ code }) => code === "never-matches" || code === "duplicate-route")
    .map(({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} ${message}`);
}

const group = (...routes: readonly string[]) =>
  `${HEAD} RouteGroup\nroutes:\n${routes.map((it) => `  - ${it}\n`).join("")}`;

describe("a route that can never match is warned of at its place", () => {
  test.each([
    [
      '{ payload.n: [{ numeric: [">", 10, "<", 5] }] }',
      "routes/r.yaml:4:87 never-matches no value is a number > 10 and < 5: the route can never match",
    ],
    ["{ payload.a: [{ prefix: x }, y] }", null],
    [
      "{ type: actor.stopped }",
      'routes/r.yaml:4:82 never-matches nothing is both "resource.changed" and "actor.stopped" (routes/r.yaml:4:46): the route can never match',
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
    ['{ type: "${TYPE}" }', null],
  ])("%s", async (filter, expected) => {
    const route = `{ name: r, when: { source: hook, events: [resource.changed], filter: ${filter} }, then: { actor: agent } }`;
    expect(await warnings({ "routes/r.yaml": group(route) })).toEqual(expected ? [expected] : []);
  });

  test("none of the types that it waits for is one that its sources emit", async () => {
    const route = (name: string, source: string, events: string) =>
      `{ name: ${name}, when: { source: ${source}, events: ${events} }, then: { actor: agent } }`;
    expect(
      await warnings({
        "routes/r.yaml": group(
          route("a", "changes", "[actor.stopped, message.received]"),
          route("b", "changes", "[actor.stopped, resource.changed]"),
          route("c", "[changes, hook]", "[actor.stopped]"),
          route("d", "hook", "[actor.stopped]"),
        ),
      }),
    ).toEqual([
      "routes/r.yaml:4:49 never-matches changes emits resource.changed, and nothing else: the route can never match",
    ]);
  });

  test("a route that does exactly what another does names both places", async () => {
    const route = (
      name: string,
      rest = "then: { actor: agent }",
      filter = "{ payload.a: 1, payload.b: [2] }",
    ) =>
      `{ name: ${name}, when: { source: hook, events: [resource.changed], filter: ${filter} }, ${rest} }`;
    expect(
      await warnings({
        "routes/a.yaml": group(
          route("one"),
          route("elsewhere", "then: { actor: other }"),
          route("configured", "then: { actor: agent, config: { a: 1 } }"),
          route("slower", "then: { actor: agent }, delivery: { max_rate: 1/s }"),
        ),
        "routes/b.yaml": group(route("two", undefined, "{ payload.b: [2], payload.a: 1 }")),
      }),
    ).toEqual([
      'routes/b.yaml:4:13 duplicate-route the route "one" (routes/a.yaml:4:5) does exactly the same: whatever one takes is delivered twice',
    ]);
  });
});

const VALUES = ["a", "ab", "b", 1, 7, 12, true, null, "10.0.0.1"] as const;
const leaf = fc.constantFrom(...VALUES, undefined);
const payloads = fc.record(
  { a: fc.oneof(leaf, fc.record({ c: leaf }), fc.array(leaf, { maxLength: 3 })), b: leaf },
  { requiredKeys: [] },
);
const scalar = fc.constantFrom("a", "ab", "b", 1, 7, true, null);
const operator = fc.oneof(
  scalar,
  fc.record({ prefix: fc.constantFrom("a", "b", "1") }),
  fc.record({ suffix: fc.constantFrom("b", "a") }),
  fc.record({ "anything-but": fc.subarray(["a", "ab", "b"], { minLength: 1 }) }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ "equals-ignore-case": fc.constantFrom("A", "aB") }),
  fc.record({
    numeric: fc
      .tuple(fc.constantFrom(0, 5, 10), fc.constantFrom(0, 5, 10))
      .map(([low, high]) => [">", low, "<=", high]),
  }),
  fc.record({ wildcard: fc.constantFrom("a*", "*b", "b*") }),
);
const wanted = fc.oneof(scalar, fc.array(operator, { minLength: 1, maxLength: 2 }));
const entries = fc.dictionary(
  fc.constantFrom("payload.a", "payload.b", "payload.a.c", "type", "source", "payload.a.0"),
  wanted,
  { minKeys: 1, maxKeys: 3 },
);
const filters = fc
  .tuple(entries, fc.option(fc.array(entries, { minLength: 2, maxLength: 2 })))
  .map(([own, branches]) => (branches === null ? own : { ...own, $or: branches }));

test("what is warned of indeed matches nothing", async () => {
  let warned = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(filters, { minLength: 20, maxLength: 40 }),
      fc.array(payloads, { minLength: 60, maxLength: 60 }),
      async (all, some) => {
        const routes = all.map((filter, at) => ({
          name: `r${at}`,
          when: { source: "hook", events: ["resource.changed"], filter },
          then: { actor: "agent" },
        }));
        const path = temporaryProject({
          "orgloop.yaml": `${HEAD} Project\nmetadata: { name: demo }\n${SOURCES}`,
          "routes/r.yaml": `${HEAD} RouteGroup\nroutes: ${JSON.stringify(routes)}\n`,
        });
        const {
          topology,
          errors,
          warnings: found,
        } = await loadProject({
          path,
          env: { ORGLOOP_HOME: "/dev/null/none" },
        });
        expect(errors).toEqual([]);
        const never = new Set(
          found.flatMap(({ code, message, path: where }) => {
            const [, at] = /^routes\[(\d+)\]/.exec(where) ?? [];
            return code === "never-matches" && message.endsWith("the route can never match")
              ? `r${at}`
              : [];
          }),
        );
        warned += never.size;
        const matcher = compileMatcher(topology?.routes ?? []);
        for (const payload of some) {
          const matched = matcher.match(eventOf(payload)).map(({ name }) => name);
          expect(matched.filter((name) => never.has(name))).toEqual([]);
        }
      },
    ),
    { numRuns: 30 },
  );
  expect(warned).toBeGreaterThan(50);
});

const eventOf = (payload: Record<string, unknown>): OrgLoopEvent => ({
  id: "evt_1",
  timestamp: "2026-01-01T00:00:00.000Z",
  source: "hook",
  type: "resource.changed",
  provenance: { platform: "test" },
  payload,
  trace_id: "trc_1",
});
