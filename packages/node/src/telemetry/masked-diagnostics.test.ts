// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { DeliverySpec, Topology } from "@orgloop/sdk";
import { expect, onTestFinished, test } from "vitest";
import { pluginLookup } from "../plugins/plugins.ts";
import { route, startFixture, temporaryDir, topologyOf } from "../process/process-fixture.ts";

const TOKEN = 'sk-live-7Jd9/aQ+zz=="Ü';
const HEADER = "hdr_0123456789abcdef";
const PLAIN = "platform-engineering";
const ONCE: Partial<DeliverySpec> = {
  retry: {
    max_attempts: 1,
    backoff: "fixed",
    initial_delay: "1ms",
    max_delay: "1ms",
    jitter: "none",
  },
};

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A process with these actors; each gets the event that `hook` is sent. */
async function started(
  actors: Topology["actors"],
  scripts: Record<string, string> = {},
  config: Record<string, unknown> = {},
) {
  const dataDir = await temporaryDir();
  const transforms = Object.keys(scripts).map((script) => ({
    name: script,
    type: "script" as const,
    script,
    env: { ODD: "${ODD}", TEAM: PLAIN },
    config: {},
    timeout_ms: 5_000,
    on_error: "pass" as const,
  }));
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(dataDir, name), body, { mode: 0o755 });
  }
  const plain = topologyOf({}, []);
  const topology: Topology = {
    ...plain,
    sources: [
      { id: "hook", connector: "@orgloop/connector-webhook", config: { secret: "${HOOK}" } },
    ],
    actors,
    transforms,
    routes: actors.map(({ id }) => ({
      ...route(id, "hook", id, ONCE),
      then: { actor: id, config },
      transforms: transforms.map(({ name }) => ({ ref: name })),
    })),
  };
  const env = { TOKEN, HEADER, PLAIN, ODD: "of-the-script-0123", HOOK: "whsec-of-the-hook-0123" };
  const process = await startFixture(
    topology,
    {},
    {
      dataDir,
      projectDir: dataDir,
      env,
      lookup: pluginLookup({ projectDir: dataDir }),
    },
  );
  const letters = async () => {
    const answer = await process.get("/control/dead-letters", {
      headers: { authorization: "Bearer test-token" },
    });
    return JSON.stringify(await answer.json());
  };
  /** All that tells of what went wrong. */
  const reported = async () => {
    const read = () => readFile(join(dataDir, "log", "events.jsonl"), "utf8");
    const lines = async () => (await read()).trimEnd().split("\n").length;
    // It is written a little later than it is shown.
    await expect.poll(lines).toBeGreaterThanOrEqual(process.entries.length);
    return [await read(), JSON.stringify(process.entries), await letters()];
  };
  const send = () =>
    process.post(
      "/control/inject",
      { source: "hook", payload: { title: TOKEN } },
      {
        headers: { authorization: "Bearer test-token" },
      },
    );
  return { process, dataDir, reported, send };
}

const forms = (secret: string) => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64").replace(/=*$/, ""),
  Buffer.from(`bot:${secret}`).toString("base64").slice(8, -4),
];

test("what an actor echoes of its request is told without secrets, and sent with them", async () => {
  const seen: string[] = [];
  const url = await serve(async (request, response) => {
    const body = await text(request);
    seen.push(`${JSON.stringify(request.headers)} ${body}`);
    // Cut within the token: what is read of an answer ends after 1,024 bytes.
    const echo = `${JSON.stringify(request.headers)} team=${PLAIN} ${"x".repeat(240)} ${encodeURIComponent(TOKEN)} `;
    response.writeHead(500).end(echo + `${HEADER} `.repeat(100));
  });
  const { process, reported, send } = await started([
    {
      id: "agent",
      connector: "@orgloop/connector-webhook",
      queue_depth: 10,
      config: {
        url,
        headers: { "x-key": "v1 ${HEADER}", "x-team": PLAIN },
        auth: { type: "basic", username: "bot", password: "${TOKEN}" },
      },
    },
  ]);
  await send();
  await process.entry("deliver.dead_letter");
  const [log = "", entries = "", letters = ""] = await reported();
  for (const reported of [log, entries, letters]) {
    expect(reported).toContain("answered 500");
    for (const form of forms(HEADER)) expect(reported).not.toContain(form);
    expect(reported).not.toContain("hdr_0");
    expect(reported).toContain(`team=${PLAIN}`);
  }
  for (const form of forms(TOKEN)) {
    expect(log).not.toContain(form);
    expect(entries).not.toContain(form);
  }
  expect(seen[0]).toContain(Buffer.from(`bot:${TOKEN}`).toString("base64"));
  expect(seen[0]).toContain(HEADER);
  // The event is somebody's data, and goes on as it is.
  expect(seen[0]).toContain(JSON.stringify(TOKEN));
});

test("what references bring into a URL, or under a secret's name into then.config, is told nowhere", async () => {
  const seen: string[] = [];
  const base = await serve(async (request, response) => {
    const body = await text(request);
    seen.push(`${request.url} ${body}`);
    response
      .writeHead(500)
      .end(`no such hook: ${request.url} ${decodeURI(request.url ?? "")} ${body.slice(-400)}`);
  });
  const connector = "@orgloop/connector-webhook";
  const config = { url: `${base}hooks/\${HEADER}/{{ event.type }}?team=${PLAIN}&token=\${TOKEN}` };
  const actor = { id: "agent", connector, queue_depth: 10, config };
  const { process, reported, send } = await started(
    [actor],
    {},
    {
      webhook_token: "${HOOK}",
      team: "${PLAIN}",
    },
  );
  await send();
  await process.entry("deliver.dead_letter");
  const [log = "", entries = "", letters = ""] = await reported();
  for (const reported of [log, entries, letters]) {
    expect(reported).toContain("no such hook: /hooks/***/");
    expect(reported).toContain(PLAIN);
    expect(reported).not.toContain(HEADER);
    expect(reported).not.toContain("whsec-of-the-hook-0123");
  }
  for (const reported of [log, entries]) {
    expect(reported).not.toContain("sk-live");
    expect(reported).not.toContain(TOKEN.slice(8, 16));
  }
  expect(seen[0]).toContain(`/hooks/${HEADER}/`);
  expect(seen[0]).toContain("sk-live-7Jd9/aQ+zz");
  expect(seen[0]).toContain('"webhook_token":"whsec-of-the-hook-0123"');
});

test("a command and a script that print what they get tell no secrets", async () => {
  const script = '#!/bin/sh\necho "$ODD $TEAM" >&2\ncat >&2\nexit 2\n';
  // Its environment, then the token in base64 and as it is, cut within it by the limit of what is
  // kept.
  const command = `env; printf '%s' "$MINE" | base64 -w0; printf '%0940d %s' 0 "$MINE"; exit 3`;
  const env = { MINE: "${TOKEN}", OTHER: "${HEADER}", TEAM: PLAIN };
  const connector = "@orgloop/connector-exec";
  const it = await started(
    [{ id: "agent", connector, queue_depth: 10, config: { command, shell: true, env } }],
    { "noisy.sh": script },
  );
  await it.send();
  const entry = await it.process.entry("deliver.dead_letter");
  expect(entry.error).toContain("exited with code 3");
  expect(entry.error).toContain("***");
  const noisy = await it.process.entry("transform.error");
  expect(noisy.error).toContain('"title":"***"');
  expect(noisy.error).toContain(`*** ${PLAIN}`);
  const [log = "", entries = "", letters = ""] = await it.reported();
  for (const reported of [log, entries, letters]) {
    for (const form of forms(HEADER)) expect(reported).not.toContain(form);
  }
  for (const reported of [log, entries]) {
    for (const form of forms(TOKEN)) expect(reported).not.toContain(form);
  }
});
