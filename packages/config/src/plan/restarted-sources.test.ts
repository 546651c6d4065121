import type { SourceSpec, Topology } from "@orgloop/sdk";
import { expect, it } from "vitest";
import { restartedSources } from "./restarted-sources.ts";

const withSources = (...sources: readonly [id: string, connector: string, config?: object][]) =>
  ({
    sources: sources.map(
      ([id, connector, config = {}]): SourceSpec => ({ id, connector, config: { ...config } }),
    ),
  }) as unknown as Topology;

it("names the sources that go, and those that change hands; a changed configuration keeps its place", () => {
  const from = withSources(["gone", "a"], ["moved", "a"], ["kept", "a"], ["tuned", "a"]);
  const to = withSources(
    ["tuned", "a", { per_page: 50 }],
    ["kept", "a"],
    ["moved", "b"],
    ["new", "a"],
  );
  expect(restartedSources(from, to)).toEqual(["gone", "moved"]);
  expect(restartedSources(to, to)).toEqual([]);
});
