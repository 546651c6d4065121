import { expect, test } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

async function warnings(delivery: object, { bus = "sqs", key = "payload.repo" } = {}) {
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    bus,
    sources: [{ id: "hub", connector: "c", config: {}, ...(key && { key }) }],
    actors: [{ id: "a", connector: "c", config: {} }],
    routes: [
      {
        name: "r",
        when: { source: "hub", events: ["resource.changed"] },
        then: { actor: "a" },
        delivery,
      },
    ],
  };
  const path = temporaryProject({ "orgloop.yaml": JSON.stringify(manifest) });
  const { errors, warnings: found } = await loadProject({ path, env: {} });
  expect(errors).toEqual([]);
  return found
    .filter(({ code }) => code === "bus-group")
    .map((one) => `${one.path}: ${one.message}`);
}

test("a route that makes a source with keys one group is named, with the ceiling", async () => {
  const [ordered, ...more] = await warnings({ order: "route" });
  expect(more).toEqual([]);
  expect(ordered).toMatch(
    /^routes\[0\]\.delivery: .*"hub" one message group .* 35 to 50 events a second.*order: route/,
  );
  expect(await warnings({ key: "payload.n" })).toEqual([
    expect.stringContaining("delivery.key of its own"),
  ]);
});

test("nothing is said where keys go beside each other, there are none, or the bus is another", async () => {
  expect(await warnings({})).toEqual([]);
  expect(await warnings({ order: "none" })).toEqual([]);
  expect(await warnings({ order: "route" }, { key: "" })).toEqual([]);
  expect(await warnings({ order: "route" }, { bus: "file" })).toEqual([]);
});
