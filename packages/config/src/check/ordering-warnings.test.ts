import { expect, test } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

async function warned(delivery: object, source: object = {}): Promise<string[]> {
  const manifest = JSON.stringify({
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    sources: [{ id: "s", connector: "@orgloop/connector-webhook", config: {}, ...source }],
    actors: [{ id: "a", connector: "c", config: {} }],
    routes: [
      {
        name: "r",
        when: { source: "s", events: ["resource.changed"] },
        then: { actor: "a", delivery },
      },
    ],
  });
  const path = temporaryProject({ "orgloop.yaml": manifest });
  const { errors, warnings } = await loadProject({ path, env: {} });
  expect(errors).toEqual([]);
  return warnings.filter(({ code }) => code === "one-lane").map((it) => `${it.path} ${it.message}`);
}

test("a concurrency that comes to nothing is told where it is set", async () => {
  expect(await warned({ concurrency: 8 })).toEqual([
    "routes[0].then.delivery.concurrency concurrency 8 comes to nothing: the events are delivered by source, as there is no key: one at a time; give delivery.key, a path in the event, or order: none",
  ]);
  const [ofRoute] = await warned({ concurrency: 8, order: "route", key: "payload.id" });
  expect(ofRoute).toContain("all of the route in order: one at a time");
});

test.each<[object, object]>([
  [{}, {}],
  [{ concurrency: 1 }, {}],
  [{ concurrency: 8, key: "payload.id" }, {}],
  [{ concurrency: 8, order: "none" }, {}],
  [{ concurrency: 8 }, { key: "payload.id" }],
  [{ concurrency: 8 }, { connector: "@orgloop/connector-github" }],
])("nothing is said of %j behind %j", async (delivery, source) => {
  expect(await warned(delivery, source)).toEqual([]);
});
