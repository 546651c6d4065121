import { lookup } from "node:dns";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { type DeliveryContext, OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it } from "vitest";
import { webhookActorConfig } from "./config.ts";
import { parseRetryAfter, webhookActor } from "./webhook-actor.ts";

const NOW = Date.parse("2026-11-01T00:00:00Z");
const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { title: 'say "hi"\n\\', number: 7, labels: ["a"], open: true },
  trace_id: "trc_1",
};

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-path`;
}

interface Seen {
  request: IncomingMessage;
  body: string;
}

async function receiver(status = 200, headers: Record<string, string> = {}, answer = "") {
  const seen: Seen[] = [];
  const url = await serve(async (request, response) => {
    seen.push({ request, body: await text(request) });
    // The time that it tells is a test's.
    response.sendDate = false;
    response.writeHead(status, headers).end(answer);
  });
  return { url, seen };
}

function deliver(config: unknown, extra: Partial<DeliveryContext> = {}, sent = event) {
  const actor = webhookActor(webhookActorConfig.parse(config), {
    now: () => NOW,
    lookup,
    mask: (text) => text,
  });
  const context = { route: "r", config: {}, attempt: 1, replay: 0 };
  return actor.deliver(sent, { ...context, signal: new AbortController().signal, ...extra });
}

const prompt = { text: "Do it", file: "/p.md", meta: null };

describe("the request", () => {
  it("posts event and prompt as JSON by default", async () => {
    const { url, seen } = await receiver();
    const sent = deliver({ url: `${url}/{{payload.title}}` }, { prompt, config: { to: "#a" } });
    await expect(sent).resolves.toEqual({ status: "delivered" });
    const body = { event, config: { to: "#a" }, launch_prompt: "Do it" };
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual(body);
    expect(seen[0]?.request).toMatchObject({
      method: "POST",
      url: "/hook/secret-path/say%20%22hi%22%0A%5C",
    });
    expect(seen[0]?.request.headers).toMatchObject({ "content-type": "application/json" });
    expect(seen[0]?.request.headers).toMatchObject({ "webhook-id": "evt_1" });
    expect(seen[0]?.request.headers).not.toHaveProperty("webhook-signature");
    expect(seen[0]?.request.headers).not.toHaveProperty("orgloop-replay");
  });

  it("fills a template so that values keep their type and cannot break out", async () => {
    const { url, seen } = await receiver();
    const template = {
      text: "PR {{ event.payload.number }}: {{event.payload.title}}",
      number: "{{event.payload.number}}",
      list: ["{{event.payload.labels}}", "{{event.payload.open}}"],
      nested: "labels {{event.payload.labels}}",
      missing: "[{{event.payload.nothing.here}}]",
      proto: "{{event.__proto__}}{{event.constructor.name}}",
      prompt: "{{launch_prompt}}",
      fixed: 1,
    };
    const expected = {
      text: 'PR 7: say "hi"\n\\',
      number: 7,
      list: [["a"], true],
      nested: 'labels ["a"]',
      missing: "[]",
      proto: "",
      prompt: "Do it",
      fixed: 1,
    };
    await deliver({ url, body_template: template }, { prompt });
    await deliver({ url, body_template: JSON.stringify(template) }, { prompt });
    for (const { body } of seen) expect(JSON.parse(body)).toEqual(expected);
  });

  it("sends a text template as it is with another content type, and refuses one that is no JSON otherwise", async () => {
    const { url, seen } = await receiver();
    const body_template = "{{event.payload.title}} {{event.payload.labels}}";
    await deliver({ url, body_template, headers: { "Content-Type": "text/plain" } });
    expect(seen[0]?.body).toBe('say "hi"\n\\ ["a"]');
    expect(() => deliver({ url, body_template })).toThrow("body_template");
  });

  it("sends method, headers and authorization", async () => {
    const { url, seen } = await receiver();
    const auth = { type: "bearer", token: "t0ken" };
    await deliver({ url, method: "PUT", headers: { "X-Team": "platform", "X-Tries": 3 }, auth });
    await deliver({ url, auth: { type: "basic", username: "a", password: "b:ü" } });
    expect(seen[0]?.request.method).toBe("PUT");
    expect(seen[0]?.request.headers).toMatchObject({
      "x-team": "platform",
      "x-tries": "3",
      authorization: "Bearer t0ken",
    });
    expect(seen[1]?.request.headers.authorization).toBe(
      `Basic ${Buffer.from("a:b:ü").toString("base64")}`,
    );
    expect(() => deliver({ url, auth: { type: "bearer", token: "two\nlines" } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("two") }),
    );
  });

  it("marks a replay", async () => {
    const { url, seen } = await receiver();
    await deliver({ url }, { replay: 2 });
    expect(seen[0]?.request.headers["orgloop-replay"]).toBe("2");
  });

  it("sends the trace along", async () => {
    const { url, seen } = await receiver();
    await deliver({ url });
    expect(seen[0]?.request.headers["orgloop-trace"]).toBe(`${event.trace_id};hops=1`);
    const later = { ...event, provenance: { platform: "webhook", hops: 3 } };
    await deliver({ url }, {}, later);
    expect(seen[1]?.request.headers["orgloop-trace"]).toBe(`${event.trace_id};hops=4`);
  });

  it("refuses URLs that are not http, or that carry a password", () => {
    for (const url of [
      "ftp://a.example",
      "not a url",
      "https://user:pass@a.example/",
      "file:///x",
    ]) {
      expect(webhookActorConfig.safeParse({ url }).success).toBe(false);
    }
  });
});

describe("signing as Standard Webhooks", () => {
  it("makes the published test vector", async () => {
    const { url, seen } = await receiver();
    const actor = webhookActor(
      webhookActorConfig.parse({
        url,
        secret: WHSEC,
        headers: { "content-type": "text/plain" },
        body_template: '{"test": 2432232314}',
      }),
      { now: () => 1614265330_000, lookup, mask: (text) => text },
    );
    await actor.deliver(
      { ...event, id: "msg_p5jXN8AQM9LWM0D4loKWxJek" },
      { route: "r", config: {}, attempt: 1, replay: 0, signal: new AbortController().signal },
    );
    expect(seen[0]?.request.headers).toMatchObject({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("signs with both secrets during a rotation, so that either verifies", async () => {
    const { url, seen } = await receiver();
    const actor = webhookActor(webhookActorConfig.parse({ url, secret: [WHSEC, OTHER] }), {
      now: Date.now,
      lookup,
      mask: (text) => text,
    });
    const signal = new AbortController().signal;
    await actor.deliver(event, { route: "r", config: {}, attempt: 1, replay: 0, signal });
    const { body, request } = seen[0] as Seen;
    const headers = request.headers as Record<string, string>;
    expect(headers["webhook-id"]).toBe("evt_1");
    for (const secret of [WHSEC, OTHER]) {
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ event: { id: "evt_1" } });
    }
    expect(() => new Webhook("whsec_AAAA").verify(body, headers)).toThrow();
    expect(() => deliver({ url, secret: "no secret!" })).toThrow("secret");
  });
});

describe("the answer", () => {
  it.each([200, 201, 202, 204, 299])("%i is delivered", async (status) => {
    const { url } = await receiver(status);
    await expect(deliver({ url })).resolves.toEqual({ status: "delivered" });
  });

  it.each([400, 401, 403, 404, 409, 413, 422])("%i is permanent", async (status) => {
    const { url } = await receiver(status, { "retry-after": "5" }, "no such\n channel");
    await expect(deliver({ url })).rejects.toMatchObject({
      code: "PERMANENT",
      gone: false,
      message: expect.stringMatching(
        new RegExp(`^POST 127\\.0\\.0\\.1:\\d+ answered ${status}: no such channel$`),
      ),
    });
  });

  it("410 is permanent and gone", async () => {
    const { url } = await receiver(410);
    await expect(deliver({ url })).rejects.toMatchObject({ code: "PERMANENT", gone: true });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])("%i is tried again", async (status) => {
    const { url } = await receiver(status);
    await expect(deliver({ url })).rejects.toMatchObject({ code: "ACTOR_FAILED" });
  });

  it.each([429, 503])("%i with Retry-After is tried again then", async (status) => {
    const seconds = await receiver(status, { "retry-after": "7" });
    await expect(deliver({ url: seconds.url })).rejects.toMatchObject({
      code: "RETRY_AFTER",
      retryAfterMs: 7000,
    });
    const date = await receiver(status, { "retry-after": new Date(NOW + 90_000).toUTCString() });
    await expect(deliver({ url: date.url })).rejects.toMatchObject({ retryAfterMs: 90_000 });
    const ahead = (ms: number) => new Date(NOW + 3_600_000 + ms).toUTCString();
    const skewed = await receiver(status, { date: ahead(0), "retry-after": ahead(90_000) });
    await expect(deliver({ url: skewed.url })).rejects.toMatchObject({ retryAfterMs: 90_000 });
    const nonsense = await receiver(status, { "retry-after": "soon" });
    await expect(deliver({ url: nonsense.url })).rejects.toMatchObject({ code: "ACTOR_FAILED" });
  });

  it("does not follow a redirect", async () => {
    const target = await receiver();
    const { url } = await receiver(307, { location: target.url });
    await expect(deliver({ url })).rejects.toMatchObject({
      code: "ACTOR_FAILED",
      message: expect.stringContaining("307"),
    });
    expect(target.seen).toHaveLength(0);
  });

  it("reads only the beginning of an endless answer", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(500);
      const more = () => {
        while (response.write("x".repeat(1024)));
      };
      response.on("drain", more).on("error", () => undefined);
      more();
    });
    const error = await deliver({ url }).catch((thrown: Error) => thrown);
    expect((error as Error).message.length).toBeLessThan(1200);
    expect((error as Error).message).toContain("answered 500: xxx");
  });

  it("takes a 2xx for delivered though its body never ends", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200).write("…");
    });
    await expect(deliver({ url })).resolves.toEqual({ status: "delivered" });
  });
});

describe("the network", () => {
  it("gives up on a server that does not answer when the signal says so", async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort(new Error("timed out after 30s")));
    await expect(deliver({ url }, { signal: controller.signal })).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringMatching(/^POST 127\.0\.0\.1:\d+: timed out after 30s$/),
    });
  });

  it("keeps the status of a failure whose body breaks off", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(404, { "content-length": "1000" });
      response.write("half an expl", () => response.socket?.end());
    });
    await expect(deliver({ url })).rejects.toMatchObject({
      code: "PERMANENT",
      message: expect.stringContaining("answered 404: half an expl"),
    });
  });

  it("names host and port, keeps the cause and hides the path when a connection is reset or refused", async () => {
    const tcp = createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const url = `http://127.0.0.1:${(tcp.address() as AddressInfo).port}/services/T0KEN`;
    const reset = await deliver({ url }).catch((error: Error) => error);
    tcp.close();
    await once(tcp, "close");
    const refused = await deliver({ url }).catch((error: Error) => error);
    for (const error of [reset, refused] as Error[]) {
      expect(error).toMatchObject({ code: "UNREACHABLE", cause: expect.any(Error) });
      expect(error.message).toContain(new URL(url).host);
      expect(error.message).not.toContain("T0KEN");
    }
    expect((refused as Error).message).toContain("ECONNREFUSED");
  });
});

describe("Retry-After", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    ["Sun, 01 Nov 2026 00:00:10 GMT", 10_000],
    ["Sunday, 01-Nov-26 00:00:10 GMT", 10_000],
    ["Sun, 01 Nov 2020 00:00:10 GMT", 0],
    ["Sun Nov  1 00:00:10 2026", 10_000],
    ["99999999999999999999", 3e12],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["later 5", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j is %j ms", (header, expected) => {
    expect(
      parseRetryAfter(new Headers(header === null ? {} : { "retry-after": header }), NOW),
    ).toBe(expected);
  });

  it.each([
    ["Sun, 01 Nov 2026 05:00:00 GMT", 10_000],
    ["Fri, 30 Oct 2026 05:00:00 GMT", 2 * 86_400_000 + 10_000],
    ["Mon, 02 Nov 2026 05:00:00 GMT", 0],
    ["now", 18_010_000],
  ])("as a date is reckoned by the clock that has answered: its Date is %j", (date, expected) => {
    const headers = new Headers({ date, "retry-after": "Sun, 01 Nov 2026 05:00:10 GMT" });
    expect(parseRetryAfter(headers, NOW)).toBe(expected);
  });
});

describe("what the host lets it reach", () => {
  /** What the host was asked for, and what was sent all the same. */
  async function refused(host: string) {
    const { url, seen } = await receiver();
    const asked: string[] = [];
    const { port } = new URL(url);
    const actor = webhookActor(webhookActorConfig.parse({ url: `http://${host}:${port}/` }), {
      now: () => NOW,
      mask: (text) => text,
      lookup(hostname, _, callback) {
        asked.push(hostname);
        callback(new OrgLoopError("PRIVATE_ADDRESS", "not from here"), []);
      },
    });
    const { signal } = new AbortController();
    const context = { route: "r", config: {}, attempt: 1, replay: 0, signal };
    await expect(actor.deliver(event, context)).rejects.toMatchObject({ code: "PRIVATE_ADDRESS" });
    expect(seen).toEqual([]);
    return asked;
  }

  it("is asked for names, and for an address in any form, before anything is sent", async () => {
    expect(await refused("localhost")).toEqual(["localhost"]);
    for (const form of ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"]) {
      expect(await refused(form)).toEqual(["127.0.0.1"]);
    }
    expect(await refused("[::1]")).toEqual(["::1"]);
    expect(await refused("[::ffff:127.0.0.1]")).toEqual(["::ffff:7f00:1"]);
  });

  it("is not asked for what a redirect leads to: none is followed", async () => {
    const location = "http://169.254.169.254/";
    const { url, seen } = await receiver(302, { location });
    await expect(deliver({ url })).rejects.toMatchObject({ code: "ACTOR_FAILED" });
    expect(seen).toHaveLength(1);
  });
});
