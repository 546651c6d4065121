import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import type { EventDraft } from "@orgloop/sdk";
import { beforeAll, expect, it } from "vitest";
import { workflowRunEvents } from "./check-events.ts";
import { pollingHost } from "./polling-host.ts";
import { replayServer } from "./replay/replay-server.ts";

const MODULES = join(import.meta.dirname, "../../../../modules");
const files = globSync("*/tests/events/polled/*.json", { cwd: MODULES });

/**
 * What polling the recordings yields. No recording holds a failed run: one that succeeded has
 * failed here.
 */
let polled: readonly Omit<EventDraft, "identity">[];
beforeAll(async () => {
  const server = await replayServer();
  const recorded = createRequire(import.meta.url)("@octokit/webhooks-examples") as {
    name: string;
    examples: { workflow_run: Parameters<typeof workflowRunEvents>[0] }[];
  }[];
  const runs = recorded
    .filter(({ name }) => name === "workflow_run")
    .flatMap(({ examples }) => examples)
    .flatMap(({ workflow_run: run }) =>
      workflowRunEvents({ ...run, name: "CI", conclusion: "failure" }, "octo-org/octo-repo"),
    );
  const events = [...(await pollingHost(server).poll()), ...runs];
  await server.close();
  polled = events.map(({ identity: _, ...event }) => event);
});

it("has fixtures", () => expect(files.length).toBeGreaterThan(5));

it.each(files)("%s is what polling GitHub yields", (file) => {
  const event = JSON.parse(readFileSync(join(MODULES, file), "utf8"));
  expect(event.provenance.platform_event).toBe(basename(file, ".json"));
  expect(polled).toContainEqual(event);
});
