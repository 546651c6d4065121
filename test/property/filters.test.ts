import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProject } from "@orgloop/config";
import { compileFilter, compileMatcher } from "@orgloop/engine";
import { hasCode } from "@orgloop/sdk";
import { FORTUNE_50, writeEnterprise } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), "orgloop-filters-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

const scalar = fc.constantFrom<unknown>("a", "", "10.0.0.0/8", "a*b", "a**b", 1, 0.5, true, null);
const text = fc.constantFrom("a", "", "*", "a*b", "**", "10.0.0.0/24", "fd00::/8", "10.0.0.0/99");
const operand = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("prefix", "suffix", "equals-ignore-case", "wildcard"), text, {
    maxKeys: 2,
  }),
  fc.constantFrom<unknown>([">", 1], ["<", 1, ">=", 0], ["!=", 1], [">"], [">", "1"]),
);
const operator = fc.constantFrom(
  ...["prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case"],
  ...["wildcard", "cidr"],
);
const element = fc.oneof(
  scalar,
  fc.tuple(operator, operand).map(([name, value]) => ({ [name]: value })),
);
const leaf = fc.oneof(scalar, fc.array(element, { maxLength: 3 }));
const filter = fc.oneof(
  leaf.map((value) => ({ "payload.x": value })),
  fc.array(leaf, { minLength: 1, maxLength: 2 }).map((values) => ({
    $or: values.map((value) => ({ "payload.x": value })),
  })),
);

function isCompiled(value: Record<string, unknown>): boolean {
  try {
    compileFilter(value);
    return true;
  } catch (error) {
    if (!hasCode(error, "INVALID_FILTER")) throw error;
    return false;
  }
}

test("what a load lets through can be matched: the same filters are refused before the start", async () => {
  const filters = fc.sample(filter, { numRuns: 1_500, seed: 7 });
  const path = directory();
  const document = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "filters" },
    sources: [{ id: "s", connector: "@orgloop/connector-cron" }],
    actors: [{ id: "a", connector: "@orgloop/connector-exec" }],
    routes: filters.map((one, at) => ({
      name: `r${at}`,
      when: { source: "s", events: ["resource.changed"], filter: one },
      then: { actor: "a" },
    })),
  };
  writeFileSync(join(path, "orgloop.yaml"), JSON.stringify(document));
  const { errors } = await loadProject({ path, env: { ORGLOOP_HOME: join(path, "home") } });
  const refused = new Set(errors.map((error) => Number(/^routes\[(\d+)\]/.exec(error.path)?.[1])));
  const passed = filters.filter((_, at) => !refused.has(at));
  expect(passed.length).toBeGreaterThan(100);
  expect(refused.size).toBeGreaterThan(100);
  expect(passed.filter((one) => !isCompiled(one))).toEqual([]);
});

test("the generated organisation of the Fortune-50 size can be matched", async () => {
  const dir = directory();
  const path = join(dir, "project");
  writeEnterprise(path, FORTUNE_50);
  const env = { ORGLOOP_HOME: join(dir, "home"), GITHUB_TOKEN: "t", AGENT_SECRET: "s" };
  const { topology } = await loadProject({ path, env });
  expect(compileMatcher(topology?.routes ?? []).match).toBeTypeOf("function");
  expect(topology?.routes).toHaveLength(10_000);
});
