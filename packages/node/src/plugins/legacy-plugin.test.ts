import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pluginReference } from "@orgloop/config";
import { guardedNetwork } from "@orgloop/engine";
import type {
  Actor,
  ConnectorDefinition,
  DeliveryContext,
  Logger,
  LoggerDefinition,
  PluginContext,
  Source,
  SourcePage,
  Transform,
  TransformDefinition,
} from "@orgloop/sdk";
import { memoryClaims } from "@orgloop/stores";
import { testEvent } from "@orgloop/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pluginLookup } from "./plugins.ts";

/** A connector as OrgLoop 0.7.9's guide has one written. */
const CONNECTOR = `
export class TestSource {
  id = "test"; pending = [];
  async init(config) { this.config = config; }
  async poll(checkpoint) {
    const events = this.pending; this.pending = [];
    return { events, checkpoint: String(Number(checkpoint ?? 0) + events.length) };
  }
  webhook() {
    return async (req, res) => {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      if (req.headers["x-secret"] !== this.config.config.secret) {
        res.writeHead(401, { "Content-Type": "application/json" });
        res.end(JSON.stringify({ error: "Invalid signature" }));
        return [];
      }
      if (body === "") { res.statusCode = 422; res.end("nothing in it"); return []; }
      if (body === "slow") { res.writeHead(429).end(); return []; }
      if (body === "broken") { res.writeHead(500).end("oh"); return []; }
      const event = { id: "evt_0123456789abcdef", timestamp: "2026-11-01T00:00:00.000Z", source: this.config.id,
        type: "message.received", provenance: { platform: "test" }, payload: { body, url: req.url, method: req.method },
        trace_id: "trc_1" };
      this.pending.push(event);
      res.writeHead(200, { "Content-Type": "application/json" });
      res.end(JSON.stringify({ ok: true }));
      return [event];
    };
  }
  async shutdown() { globalThis.legacyLog.push("source down"); }
}
export class TestTarget {
  id = "test";
  async init(config) { this.config = config; }
  async deliver(event, routeConfig) {
    globalThis.legacyLog.push(routeConfig);
    event.payload.touched = true;
    const { status } = routeConfig;
    if (status === "throw") throw new Error("thrown");
    if (status === "error") return { status, error: new Error("HTTP 503") };
    if (status === "rejected") return { status, reason: "HTTP 404" };
    return { status: status ?? "delivered", reason: "why not" };
  }
  async shutdown() { globalThis.legacyLog.push("target down"); }
}
export default function register() {
  return { id: "test", source: TestSource, target: TestTarget, configSchema: { type: "object", properties: { token: { type: "string", format: "password", description: "A token." } } } };
}`;

const TRANSFORM = `
class TestTransform {
  id = "t";
  async init(config) { this.drop = config.drop; }
  async execute(event, context) {
    if (this.drop) return null;
    event.payload.context = context;
    return event;
  }
  async shutdown() {}
}
exports.register = () => ({ id: "t", transform: TestTransform });`;

const LOGGER = `
export function register() {
  return { id: "l", logger: class {
    async init(config) { this.name = config.name; }
    async log(entry) { globalThis.legacyLog.push(entry); throw new Error("loggers may fail"); }
    async flush() {}
    async shutdown() { globalThis.legacyLog.push(this.name + " down"); }
  } };
}`;

const log: unknown[] = [];
let projectDir: string;
beforeAll(async () => {
  Object.assign(globalThis, { legacyLog: log });
  projectDir = await mkdtemp(join(tmpdir(), "orgloop-legacy-"));
  const install = async (name: string, source: string, type: string) => {
    const dir = join(projectDir, "node_modules", name);
    await mkdir(join(dir, "dist"), { recursive: true });
    const manifest = { name, version: "0.7.9", type, main: "dist/index.js" };
    await writeFile(join(dir, "package.json"), JSON.stringify(manifest));
    await writeFile(join(dir, "dist/index.js"), source);
  };
  await install("@orgloop/connector-test", CONNECTOR, "module");
  await install("transform-commonjs", TRANSFORM, "commonjs");
  await install("logger-test", LOGGER, "module");
  await install("empty", "export default () => ({ id: 'empty' });", "module");
});
afterAll(async () => {
  Reflect.deleteProperty(globalThis, "legacyLog");
  await rm(projectDir, { recursive: true });
});

const context: PluginContext = {
  id: "team/hook",
  get projectDir() {
    return projectDir;
  },
  now: () => 0,
  claims: memoryClaims(),
  ...guardedNetwork(undefined),
  mask: (text) => text,
  warn: () => undefined,
};
const signal = new AbortController().signal;
const event = testEvent({ id: "evt_1", source: "github", payload: { number: 1 } });

test("its configSchema tells of its settings, and of which is a secret", async () => {
  const { roles } = pluginReference("@orgloop/connector-test", await connector());
  expect(roles.map(({ role }) => role)).toEqual(["source", "actor"]);
  expect(roles[0]?.settings).toEqual([
    {
      name: "token",
      type: "text",
      required: false,
      description: "A token.",
      secret: true,
      deprecated: false,
    },
  ]);
});

async function connector() {
  const found = await pluginLookup({ projectDir })("@orgloop/connector-test");
  return found as ConnectorDefinition;
}

describe("a source", () => {
  const open = async () => {
    const source = await (await connector()).source?.create({ secret: "s" }, context);
    return source as Source & Required<Pick<Source, "poll" | "receive">>;
  };
  const post = (body: string, headers: Record<string, string> = { "x-secret": "s" }) => ({
    method: "POST",
    headers,
    query: { a: "1 2" },
    body: Buffer.from(body),
  });
  const pollOnce = async (source: Awaited<ReturnType<typeof open>>, checkpoint: string | null) => {
    const pages: SourcePage[] = [];
    for await (const page of source.poll(checkpoint, { signal, deadlineMs: 0 })) pages.push(page);
    return pages;
  };

  test("its webhook gets Node's request; its events keep their ids", async () => {
    const source = await open();
    expect(await source.receive(post("é"))).toEqual([
      {
        id: "evt_0123456789abcdef",
        timestamp: "2026-11-01T00:00:00.000Z",
        type: "message.received",
        provenance: { platform: "test" },
        payload: { body: "é", url: "/webhook/team%2Fhook?a=1+2", method: "POST" },
        trace_id: "trc_1",
      },
    ]);
    const big = "x".repeat(1_000_000);
    expect((await source.receive(post(big)))[0]?.payload.body).toBe(big);
  });

  test.each([
    ["x", {}, { code: "REFUSED", status: 401, message: "Invalid signature" }],
    ["", undefined, { code: "REFUSED", status: 422, message: "nothing in it" }],
    ["slow", undefined, { code: "RETRY_AFTER", retryAfterMs: 5_000 }],
    ["broken", undefined, { code: "WEBHOOK_FAILED", message: "oh" }],
  ])("what it refuses itself is refused: %j", async (body, headers, error) => {
    await expect((await open()).receive(post(body, headers))).rejects.toMatchObject(error);
  });

  test("polls; nothing where nothing is new", async () => {
    const source = await open();
    await source.receive(post("one"));
    const [page, ...more] = await pollOnce(source, "5");
    expect(page?.checkpoint).toBe("6");
    expect(page?.events).toHaveLength(1);
    expect(more).toEqual([]);
    expect(await pollOnce(source, "6")).toEqual([]);
  });

  test("a page that the host could not keep comes again with the next poll", async () => {
    const source = await open();
    await source.receive(post("one"));
    const first = source.poll(null, { signal, deadlineMs: 0 })[Symbol.asyncIterator]();
    const { value } = await first.next();
    await source.receive(post("two"));
    const pages = await pollOnce(source, null);
    expect(pages[0]).toEqual(value);
    expect(pages.map(({ checkpoint }) => checkpoint)).toEqual(["1", "2"]);
    expect(await pollOnce(source, "2")).toEqual([]);
  });

  test("close shuts it down", async () => {
    await (await open()).close?.();
    expect(log).toContain("source down");
  });
});

describe("an actor", () => {
  const deliver = async (config: Record<string, unknown>, more: Partial<DeliveryContext> = {}) => {
    const actor = (await (await connector()).actor?.create({}, context)) as Actor;
    return actor.deliver(event, { route: "r", config, attempt: 1, replay: 0, signal, ...more });
  };

  test("delivered, skipped, rejected, failed", async () => {
    expect(await deliver({})).toEqual({ status: "delivered" });
    expect(await deliver({ status: "skipped" })).toEqual({ status: "skipped", reason: "why not" });
    await expect(deliver({ status: "rejected" })).rejects.toMatchObject({
      code: "PERMANENT",
      message: "HTTP 404",
    });
    await expect(deliver({ status: "error" })).rejects.toMatchObject({
      code: "DELIVERY_FAILED",
      message: "HTTP 503",
    });
    await expect(deliver({ status: "throw" })).rejects.toThrow("thrown");
    await expect(deliver({ status: "nonsense" })).rejects.toMatchObject({
      code: "DELIVERY_FAILED",
    });
  });

  test("gets the prompt in v1alpha1's form, and a copy of the event", async () => {
    log.length = 0;
    const prompt = { text: "Review it", file: "/p/review.md", meta: { title: "Review" } };
    await deliver({ channel: "c" }, { prompt });
    expect(log).toEqual([
      {
        channel: "c",
        launch_prompt: "Review it",
        launch_prompt_file: "/p/review.md",
        launch_prompt_meta: { title: "Review" },
      },
    ]);
    expect(event.payload).toEqual({ number: 1 });
  });
});

describe("a transform, from CommonJS", () => {
  const open = async (config: Record<string, unknown>) => {
    const found = await pluginLookup({ projectDir })("transform-commonjs");
    return (await (found as TransformDefinition).create(config, context)) as Transform;
  };

  test("changes a copy of the event, or drops it", async () => {
    const at = { route: "r", actor: "a", signal };
    expect(await (await open({})).execute(event, at)).toMatchObject({
      id: "evt_1",
      payload: {
        number: 1,
        context: { source: "github", target: "a", eventType: "resource.changed", routeName: "r" },
      },
    });
    expect(event.payload).toEqual({ number: 1 });
    expect(await (await open({ drop: true })).execute(event, at)).toBeNull();
  });
});

test("a logger: what it throws reaches nobody", async () => {
  log.length = 0;
  const found = await pluginLookup({ projectDir })("logger-test");
  const logger = (await (found as LoggerDefinition).create({ name: "l" }, context)) as Logger;
  logger.log({ timestamp: "2026-11-01T00:00:00.000Z", phase: "runtime.start" });
  await logger.flush?.();
  await logger.close?.();
  expect(log).toEqual([
    expect.objectContaining({ phase: "runtime.start", event_id: "", trace_id: "" }),
    "l down",
  ]);
});

test("a register() that names nothing that runs is refused", async () => {
  await expect(pluginLookup({ projectDir })("empty")).rejects.toMatchObject({
    code: "PLUGIN_INVALID",
  });
});
