import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { githubDelivery } from "./github-delivery.ts";

const MODULES = join(import.meta.dirname, "../../../../modules");
const files = globSync("*/tests/events/*.json", { cwd: MODULES });

const recorded = createRequire(import.meta.url)("@octokit/webhooks-examples") as {
  name: string;
  examples: Record<string, unknown>[];
}[];

/** Every delivery that GitHub recorded, as this connector's events. */
const deliveries = recorded.flatMap(({ name, examples }) =>
  examples.map((payload) => {
    const { provenance, orderingKey } = githubDelivery(name, payload);
    return {
      provenance: { ...provenance, platform: "github" },
      payload,
      ordering_key: orderingKey,
    };
  }),
);

it("has fixtures", () => expect(files.length).toBeGreaterThan(15));

it.each(files)("%s is a part of a delivery that GitHub recorded", (file) => {
  const event = JSON.parse(readFileSync(join(MODULES, file), "utf8"));
  expect(event.provenance.platform_event).toBe(basename(file, ".json"));
  const same = deliveries.filter(
    ({ provenance }) => provenance.platform_event === event.provenance.platform_event,
  );
  expect(same).toContainEqual(expect.objectContaining(partOf(event)));
});

/** What `expect` compares as a part, at every depth. */
function partOf(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? expect.objectContaining(partOf(item as Record<string, unknown>))
        : item,
    ]),
  );
}
