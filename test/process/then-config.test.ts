// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";

const ID = "12345678901234567890";

const manifest = (url: string) => `
apiVersion: orgloop/v1alpha1
kind: Project
metadata: { name: configured }
vars: { installation: ${ID} }
sources:
  - { id: hook, connector: "@orgloop/connector-webhook", config: {} }
  - id: clock
    connector: "@orgloop/connector-cron"
    poll: { interval: 1s }
    config: { schedules: [{ name: tick, cron: every 1s, payload: { account: ${ID} } }] }
actors:
  - id: web
    connector: "@orgloop/connector-webhook"
    config: { url: "${url}", headers: { x-installation: ${ID} } }
  - id: templated
    connector: "@orgloop/connector-webhook"
    config: { url: "${url}templated", body_template: { id: ${ID}, from: "{{config.installation}}", all: "{{config}}" } }
  - id: command
    connector: "@orgloop/connector-exec"
    config:
      command: 'cat "$ORGLOOP_CONFIG_FILE" > out/file.json; printf %s "$ORGLOOP_CONFIG" > out/variable.json; printf %s "$ACCOUNT" > out/account'
      shell: true
      env: { ACCOUNT: ${ID} }
  - { id: ticks, connector: "@orgloop/connector-file", config: { path: out/ticks.jsonl } }
routes:
${["web", "templated", "command"]
  .map(
    (actor) => `  - name: ${actor}
    when: { source: hook, events: [resource.changed], filter: { payload.account: ${ID} } }
    then: { actor: ${actor}, config: { subject: "{{payload.title}}", id: ${ID}, installation: "\${vars.installation}", deep: { ids: [${ID}] } } }
`,
  )
  .join(
    "",
  )}  - { name: ticks, when: { source: clock, events: [resource.changed] }, then: { actor: ticks } }
`;

const CONFIG = `{"subject":"A title","id":${ID},"installation":${ID},"deep":{"ids":[${ID}]}}`;

test("then.config reaches a webhook, a template and a command as it is written, numbers too", async () => {
  const received = new Map<string, { body: string; installation: unknown }>();
  const server = createServer(async (request, response) => {
    received.set(String(request.url), {
      body: await text(request),
      installation: request.headers["x-installation"],
    });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-then-config-"));
  onTestFinished(async () => {
    server.close();
    await rm(root, { recursive: true, force: true });
  });
  const project = path.join(root, "project");
  const out = (name: string) => readFile(path.join(project, "out", name), "utf8").catch(() => "");
  const env = { ORGLOOP_HOME: path.join(root, "home"), NO_COLOR: "1" };
  await mkdir(path.join(project, "out"), { recursive: true });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await writeFile(path.join(project, "orgloop.yaml"), manifest(url));
  const running = await startOrgLoop(project, env);
  onTestFinished(() => void running.child.kill("SIGKILL"));

  const body = `{"type":"x","title":"A title","account":${ID}}`;
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${running.url}/webhook/hook`, { method: "POST", body, headers });
  expect(answer.status).toBe(200);
  const soon = { timeout: 60_000 };
  await expect.poll(() => received.size, soon).toBe(2);
  expect(received.get("/")?.body).toMatch(new RegExp(`"account":${ID}.*`));
  expect(received.get("/")?.body).toContain(`"config":${CONFIG}`);
  expect(received.get("/")?.installation).toBe(ID);
  expect(received.get("/templated")?.body).toBe(`{"id":${ID},"from":${ID},"all":${CONFIG}}`);
  await expect.poll(() => out("account"), soon).toBe(ID);
  expect([await out("file.json"), await out("variable.json")]).toEqual([CONFIG, CONFIG]);
  await expect.poll(() => out("ticks.jsonl"), soon).toContain(`"account":${ID}`);

  const planned = await orgloop(["plan", "-c", project], env);
  expect(planned).toMatchObject({ code: 0 });
  expect(planned.stdout).toMatch(/^No changes\./);
  const inspected = await orgloop(["inspect", "route", "web", "-c", project, "--json"], env);
  expect(inspected.stdout).toContain(ID);
  expect(await running.end("SIGTERM")).toBe(0);
  expect((await orgloop(["plan", "-c", project], env)).stdout).toMatch(/^No changes\./);
});
