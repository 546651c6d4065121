import { expect, test } from "vitest";
import { temporaryProject } from "../../test/temporary-project.ts";
import { loadProject } from "../resolve/load-project.ts";

async function warnings(delivery: object, defaults: object = {}): Promise<string[]> {
  const manifest = JSON.stringify({
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "acme" },
    defaults: { delivery: defaults },
    sources: [{ id: "s", connector: "c", config: {} }],
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
  const { errors, warnings: found } = await loadProject({ path, env: {} });
  expect(errors).toEqual([]);
  return found
    .filter(({ code }) => code === "outage-cost")
    .map((one) => `${one.path} ${/\d+ events/.exec(one.message)}`);
}

test.each([
  [{ retry: { max_attempts: 1 } }, "retry.max_attempts 4 events"],
  [{ retry: { max_attempts: 2 } }, "retry.max_attempts 2 events"],
  [{ circuit_breaker: { failure_threshold: 10 } }, "circuit_breaker.failure_threshold 3 events"],
])(
  "%j: more than one event that an outage may cost is told where the route makes it so",
  async (delivery, reported) => {
    expect(await warnings(delivery)).toEqual([`routes[0].then.delivery.${reported}`]);
  },
);

test("what the defaults of a project make so is told once, there", async () => {
  expect(await warnings({}, { retry: { max_attempts: 1 } })).toEqual([
    "defaults.delivery.retry.max_attempts 4 events",
  ]);
  const own = { circuit_breaker: { failure_threshold: 2 } };
  expect(await warnings(own, { retry: { max_attempts: 2 } })).toEqual([
    "defaults.delivery.retry.max_attempts 2 events",
  ]);
});

test.each([
  {},
  { retry: { max_attempts: 3 } },
  { retry: { max_attempts: 5 }, circuit_breaker: { failure_threshold: 5 } },
  { retry: { max_attempts: 1 }, circuit_breaker: false },
  { retry: { max_attempts: 1 }, circuit_breaker: { failure_threshold: 2 } },
])("%j: one event at most is nothing to tell", async (delivery) => {
  expect(await warnings(delivery)).toEqual([]);
});
