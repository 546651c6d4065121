import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recordedContext } from "./command-fixture.ts";
import { init } from "./init.ts";
import { traceEvents } from "./test-event.ts";

async function folder() {
  const project = await mkdtemp(path.join(tmpdir(), "orgloop-init-"));
  onTestFinished(() => rm(project, { recursive: true, force: true }));
  return { project, ...recordedContext({ project, home: project, workspace: "default" }) };
}

test("a README that is there stays, and ours stands beside it", async () => {
  const { project, context, said } = await folder();
  await writeFile(path.join(project, "README.md"), "mine");
  expect(await init(context, [project], { name: "acme" })).toBe(0);
  expect(await readFile(path.join(project, "README.md"), "utf8")).toBe("mine");
  expect(await readFile(path.join(project, "ORGLOOP.md"), "utf8")).toContain("orgloop");
  expect(said.texts.join()).toContain("ORGLOOP.md says how");
});

test("a dry run says of each route that does not take an event which condition stopped it", async () => {
  const { project, context, said } = await folder();
  await init(context, [project], { name: "acme" });
  const event = path.join(project, "event.json");
  await writeFile(event, JSON.stringify({ source: "inbox", payload: { urgent: "no" } }));
  const env = { INBOX_SECRET: "x" };
  expect(await traceEvents({ ...context, env }, [event], {})).toBe(0);
  expect(said.texts.at(-1)).toMatch(/on-record → to records\n {2}✗ tell-urgent → terminal/);
  expect(said.texts.at(-1)).toMatch(/payload\.urgent: expected .*true, found "no"/);
  expect(said.answers.at(-1)).toMatchObject({
    events: [{ routes: [{ route: "on-record" }], stopped: [{ route: "tell-urgent" }] }],
  });
});
