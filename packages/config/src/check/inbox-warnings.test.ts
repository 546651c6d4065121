import { expect, test } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

const manifest = (config: object) =>
  JSON.stringify({
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    sources: [{ id: "s", connector: "c", config: {} }],
    actors: [{ id: "a", connector: "c", config: {} }],
    routes: [
      {
        name: "r",
        when: { source: "s", events: ["resource.changed"] },
        then: { actor: "a", config },
      },
    ],
  });

async function warnings(config: object): Promise<string[]> {
  const path = temporaryProject({ "orgloop.yaml": manifest(config) });
  const { errors, warnings: found } = await loadProject({ path, env: {} });
  expect(errors).toEqual([]);
  return found.filter(({ code }) => code === "inbox").map((one) => `${one.path}: ${one.message}`);
}

test("what an inbox says without sense is a warning at its place, and runs by the defaults", async () => {
  expect(await warnings({ inbox: true })).toEqual([
    "routes[0].then.config: an inbox without session_key: events go straight to the actor",
  ]);
  expect(
    await warnings({ inbox: true, session_key: "a", inbox_ttl: "soon", inbox_max_batch: 0 }),
  ).toEqual([
    'routes[0].then.config.inbox_ttl: found "soon", expected a duration, e.g. 30m; 1h is taken',
    "routes[0].then.config.inbox_max_batch: found 0, expected a whole number above 0; 100 is taken",
  ]);
});

test("what has sense, is known only at run time, or is no inbox, is none", async () => {
  const key = { inbox: true, session_key: "{{payload.agent}}" };
  expect(await warnings({ ...key, inbox_ttl: "30m", inbox_max_batch: 5 })).toEqual([]);
  expect(await warnings({ ...key, inbox_ttl: "{{payload.ttl}}" })).toEqual([]);
  expect(await warnings({ inbox_ttl: "soon" })).toEqual([]);
});
