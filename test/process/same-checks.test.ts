// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { initProject } from "./init-project.ts";

const acme = initProject();
const { run, start } = acme;

const actor = (config: string) =>
  appendFile(
    path.join(acme.project, "connectors/actors.yaml"),
    `\n  - { id: far, connector: "@orgloop/connector-webhook", config: ${config} }\n`,
  );

test("what validate refuses in a package's config, plan, start and apply refuse with the same words", async () => {
  const saved = path.join(acme.root, "saved.plan");
  await start();
  await actor('{ url: "http://127.0.0.1:1", secret: "  ", method: GET }');
  const validated = await run("validate");
  expect(validated.code).toBe(2);
  const places = [...validated.stdout.matchAll(/^(connectors\/actors\.yaml:.*) \[error /gm)];
  expect(places).toHaveLength(2);
  for (const command of [["plan"], ["plan", "--out", saved], ["apply"], ["start"]]) {
    const { code, stderr } = await run(...command);
    expect([command, code]).toEqual([command, 2]);
    for (const [, place] of places) expect(stderr).toContain(place);
  }
});

test("a secret of spaces in a variable: a warning in validate, refused by start and apply", async () => {
  const running = await start();
  await actor('{ url: "http://127.0.0.1:1", auth: { type: bearer, token: "${FAR_TOKEN}" } }');
  await appendFile(path.join(acme.project, ".env"), '\nFAR_TOKEN="   "\n');
  const applied = await run("apply");
  expect(applied.code).toBe(2);
  expect(applied.stderr).toMatch(/not applied.*[\s\S]*actor "far": token: "token" is empty/);
  expect(await running.end("SIGTERM")).toBe(0);
  const validated = await run("validate");
  expect(validated).toMatchObject({ code: 0 });
  const place = /^connectors\/actors\.yaml:\d+:\d+: \$\{FAR_TOKEN\} is set, and empty/m;
  expect(validated.stdout).toMatch(place);
  const refused = await run("start");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(new RegExp(place.source.replace("^", "^ *"), "m"));
});
