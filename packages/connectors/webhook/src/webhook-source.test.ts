import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import webhooksExamples from "@octokit/webhooks-examples";
import { sign as signAsGithub } from "@octokit/webhooks-methods";
import type { WebhookRequest } from "@orgloop/sdk";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { webhookSourceConfig } from "./config.ts";
import connector from "./index.ts";
import { webhookSource } from "./webhook-source.ts";

const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

function source(config: unknown = {}) {
  const running = webhookSource(webhookSourceConfig.parse(config));
  return async (request: Partial<Omit<WebhookRequest, "body">> & { body: string | Uint8Array }) => {
    const drafts = await running.receive?.({
      method: "POST",
      headers: {},
      query: {},
      ...request,
      body: Buffer.from(request.body),
    });
    return drafts?.[0];
  };
}

const standardHeaders = (webhook: Webhook, body: string, at = new Date(), id = "msg_1") => ({
  "webhook-id": id,
  "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
  "webhook-signature": webhook.sign(id, at, body),
});

// The package's types promise a default export within what is the array itself.
const examples = webhooksExamples as unknown as { name: string; examples: object[] }[];

describe("GitHub's recorded deliveries", () => {
  const secret = "It's a Secret to Everybody";
  const deliveries = examples.flatMap(({ name, examples: payloads }) =>
    payloads.map((payload) => ({ name, payload: payload as Record<string, unknown> })),
  );

  it("accepts all 329, each with its event, action, sender and ordering key", async () => {
    const receive = source({ secret });
    expect(deliveries).toHaveLength(329);
    for (const [index, { name, payload }] of deliveries.entries()) {
      const body = JSON.stringify(payload);
      const draft = await receive({
        body,
        headers: {
          "content-type": "application/json",
          "x-github-event": name,
          "x-github-delivery": `delivery-${index}`,
          "x-hub-signature-256": await signAsGithub(secret, body),
        },
      });
      const { action, sender, repository } = payload as {
        action?: string;
        sender?: { login: string };
        repository?: { full_name: string };
      };
      expect(draft?.payload).toEqual(payload);
      expect(draft?.identity).toBe(`x-github-delivery/delivery-${index}`);
      expect(draft?.provenance.platform).toBe("github");
      expect(draft?.provenance.platform_event).toBe(action ? `${name}.${action}` : name);
      expect(draft?.provenance.author).toBe(sender?.login);
      expect(draft?.ordering_key?.split("#")[0]).toBe(repository?.full_name);
    }
  });

  it("orders by repository and number, and tells bots from people", async () => {
    const receive = source();
    const request = (event: string, payload: unknown) =>
      receive({ body: JSON.stringify(payload), headers: { "x-github-event": event } });
    const repository = { full_name: "acme/api" };
    const opened = await request("pull_request", {
      action: "opened",
      number: 7,
      pull_request: { number: 7, author_association: "FIRST_TIMER" },
      repository,
      sender: { login: "renovate[bot]", type: "User" },
    });
    expect(opened).toMatchObject({
      ordering_key: "acme/api#7",
      provenance: {
        platform_event: "pull_request.opened",
        author: "renovate[bot]",
        author_type: "bot",
        author_association: "FIRST_TIMER",
        repo: "acme/api",
      },
    });
    const comment = await request("issue_comment", { issue: { number: 3 }, repository });
    expect(comment?.ordering_key).toBe("acme/api#3");
    const run = { pull_requests: [{ number: 9 }] };
    expect((await request("workflow_run", { workflow_run: run, repository }))?.ordering_key).toBe(
      "acme/api#9",
    );
    expect((await request("push", { repository }))?.ordering_key).toBe("acme/api");
    expect(await request("ping", { zen: "…" })).not.toHaveProperty("ordering_key");
  });

  it("takes any of several secrets, and X-Signature, but no changed byte", async () => {
    const receive = source({ secret: ["new", "old"] });
    const body = JSON.stringify(deliveries[0]?.payload);
    const headers = { "x-signature": await signAsGithub("old", body) };
    await expect(receive({ body, headers })).resolves.toBeDefined();
    await expect(receive({ body: `${body} `, headers })).rejects.toMatchObject({ status: 401 });
    const forged = { "x-hub-signature-256": await signAsGithub("guess", body) };
    await expect(receive({ body, headers: forged })).rejects.toMatchObject({ status: 401 });
  });

  it("verifies the exact bytes: any text and a byte order mark pass, one flipped bit does not", async () => {
    const receive = source({ secret });
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.nat(), fc.nat(7), async (json, at, bit) => {
        const bytes = Buffer.from(`{"value":${json}}`);
        const headers = { "x-hub-signature-256": await signAsGithub(secret, bytes.toString()) };
        expect(await receive({ body: bytes, headers })).toBeDefined();
        const index = at % bytes.length;
        bytes[index] = (bytes[index] as number) ^ (1 << bit);
        await expect(receive({ body: bytes, headers })).rejects.toMatchObject({ code: "REFUSED" });
      }),
      { numRuns: 50 },
    );
    const marked = "\uFEFF{}";
    const headers = { "x-hub-signature-256": await signAsGithub(secret, "{}") };
    await expect(receive({ body: marked, headers })).rejects.toMatchObject({ status: 401 });
  });
});

describe("Standard Webhooks", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("accepts the published test vector at its time and refuses it 5 minutes later", async () => {
    const receive = source({ secret: WHSEC, signature: "standard" });
    const request = {
      body: '{"test": 2432232314}',
      headers: {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      },
    };
    vi.useFakeTimers({ toFake: ["Date"], now: 1614265330_000 + 299_000 });
    expect(await receive(request)).toMatchObject({
      identity: "webhook-id/msg_p5jXN8AQM9LWM0D4loKWxJek",
      payload: { test: 2432232314 },
      provenance: { platform: "webhook" },
    });
    for (const offsetMs of [302_000, -302_000]) {
      vi.setSystemTime(1614265330_000 + offsetMs);
      await expect(receive(request)).rejects.toMatchObject({
        status: 401,
        message: expect.stringContaining("timestamp too"),
      });
    }
  });

  it("accepts one right signature among several, and the older of two secrets", async () => {
    const receive = source({ secret: [OTHER, WHSEC] });
    const body = '{"a":1}';
    const headers = standardHeaders(new Webhook(WHSEC), body);
    const wrong = standardHeaders(new Webhook("whsec_AAAA"), body)["webhook-signature"];
    const both = {
      ...headers,
      "webhook-signature": `v2,x ${wrong} ${headers["webhook-signature"]}`,
    };
    await expect(receive({ body, headers: both })).resolves.toBeDefined();
    for (const signature of [
      wrong,
      "v1",
      "v1,",
      "garbage",
      `v1a,${headers["webhook-signature"]}`,
    ]) {
      await expect(
        receive({ body, headers: { ...headers, "webhook-signature": signature } }),
      ).rejects.toMatchObject({ status: 401 });
    }
    await expect(
      receive({ body, headers: { ...headers, "webhook-id": "msg_2" } }),
    ).rejects.toMatchObject({ status: 401 });
  });

  it("refuses a secret that cannot be one, without showing it", async () => {
    const create = async (config: unknown) => source(config);
    await expect(create({ secret: "whsec_not base64!" })).rejects.toMatchObject({
      code: "INVALID_CONFIG",
      message: expect.not.stringContaining("not base64!"),
    });
    await expect(create({ secret: "plain text", signature: "standard" })).rejects.toThrow("secret");
    const receive = await create({ secret: "plain text" });
    const headers = standardHeaders(new Webhook(WHSEC), "{}");
    await expect(receive({ body: "{}", headers })).rejects.toMatchObject({ status: 401 });
  });
});

describe("refusals", () => {
  it("never accepts an unsigned request where there is a secret, whatever the headers claim", async () => {
    for (const signature of [undefined, "github", "standard"]) {
      const receive = source({ secret: WHSEC, ...(signature && { signature }) });
      for (const headers of [
        {},
        { "x-hub-signature-256": "" },
        { "webhook-signature": "" },
        { "x-hub-signature": "sha1=00" },
        { "webhook-id": "1", "webhook-timestamp": "1" },
      ] as Record<string, string>[]) {
        await expect(receive({ body: "{}", headers })).rejects.toMatchObject({ status: 401 });
      }
    }
  });

  it("accepts only the configured form", async () => {
    const body = "{}";
    const github = { "x-hub-signature-256": await signAsGithub(WHSEC, body) };
    const standard = standardHeaders(new Webhook(WHSEC), body);
    await expect(
      source({ secret: WHSEC, signature: "standard" })({ body, headers: github }),
    ).rejects.toMatchObject({ status: 401 });
    await expect(
      source({ secret: WHSEC, signature: "github" })({ body, headers: standard }),
    ).rejects.toMatchObject({ status: 401 });
  });

  it("checks the signature before it looks at the body", async () => {
    const receive = source({ secret: "s" });
    const headers = { "x-hub-signature-256": "sha256=00" };
    await expect(receive({ body: "not json", headers })).rejects.toMatchObject({ status: 401 });
    const signed = { "x-hub-signature-256": await signAsGithub("s", "not json") };
    await expect(receive({ body: "not json", headers: signed })).rejects.toMatchObject({
      status: 400,
    });
    await expect(receive({ body: "", headers })).rejects.toMatchObject({ status: 401 });
  });

  it.each([
    ["nothing", "", "not JSON"],
    ["broken JSON", '{"a":', "not JSON"],
    ["an array", "[]", "an array"],
    ["a text", '"a"', "string"],
    ["null", "null", "null"],
    ["deep nesting", `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`, "levels deep"],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "UTF-8"],
  ])("answers %s with 400", async (_, body, message) => {
    await expect(source()({ body })).rejects.toMatchObject({
      code: "REFUSED",
      status: 400,
      message: expect.stringContaining(message),
    });
  });

  it("answers other methods with 405 and names the remedy for form bodies", async () => {
    await expect(source()({ method: "GET", body: "{}" })).rejects.toMatchObject({ status: 405 });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    await expect(source()({ body: "payload=%7B%7D", headers })).rejects.toThrow("application/json");
  });

  it("answers arbitrary bytes with an event or a refusal, never with a crash", async () => {
    const receive = source();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (body) => {
        const outcome = await receive({ body }).catch((error: { code: string }) => error.code);
        expect(outcome === "REFUSED" || typeof outcome === "object").toBe(true);
      }),
    );
  });
});

describe("plain webhooks", () => {
  it("stays under the trace that our own actor sent along, and under no other word", async () => {
    const traced = (trace: string) =>
      source()({ body: "{}", headers: { "orgloop-trace": trace } }).then((it) => it?.trace_id);
    expect(await traced("trc_0123abcDEF")).toBe("trc_0123abcDEF");
    const hopped = await source()({ body: "{}", headers: { "orgloop-trace": "trc_1;hops=3" } });
    expect(hopped).toMatchObject({ trace_id: "trc_1", provenance: { hops: 3 } });
    for (const trace of [
      "trc_1;hops=0",
      "trc_1;hops=x",
      "trc_1;",
      "",
      "trc_",
      "evt_1",
      "trc_a b",
      `trc_${"a".repeat(65)}`,
    ]) {
      expect(await traced(trace)).toBeUndefined();
    }
  });

  it("names the platform's event by event_type_field, `unknown` where it is missing", async () => {
    const nested = source({ event_type_field: "meta.kind", platform: "pager" });
    expect(await nested({ body: '{"meta":{"kind":"alert"},"type":"x"}' })).toMatchObject({
      type: "resource.changed",
      provenance: { platform: "pager", platform_event: "alert" },
    });
    const plain = source();
    expect((await plain({ body: '{"type":"x"}' }))?.provenance.platform_event).toBe("x");
    expect((await plain({ body: '{"type":7}' }))?.provenance.platform_event).toBe("unknown");
    const hostile = source({ event_type_field: "__proto__.toString.name" });
    expect((await hostile({ body: "{}" }))?.provenance.platform_event).toBe("unknown");
  });

  it("has no ordering key, and an identity only where the sender repeats one", async () => {
    const receive = source();
    const draft = await receive({ body: "{}", headers: { "x-request-id": "1" } });
    expect(draft).not.toHaveProperty("ordering_key");
    expect(draft).not.toHaveProperty("identity");
    for (const name of ["idempotency-key", "svix-id", "linear-delivery", "x-shopify-webhook-id"]) {
      const headers = { [name]: "k", "x-request-id": "1" };
      expect((await receive({ body: "{}", headers }))?.identity).toBe(`${name}/k`);
    }
  });

  it("accepts the keys of v1alpha1 and refuses unknown ones", () => {
    const known = { path: "/x", hook_type: "y", buffer_dir: "z", max_buffer_size: 1, secret: "s" };
    expect(webhookSourceConfig.safeParse(known).success).toBe(true);
    expect(webhookSourceConfig.safeParse({ secrt: "s" }).success).toBe(false);
    expect(webhookSourceConfig.safeParse({ secret: "" }).success).toBe(false);
    expect(connector.id).toBe("webhook");
  });
});

describe("a packed body", () => {
  const secret = "It's a Secret to Everybody";
  const json = '{"id":12345678901234567890,"text":"ü"}';
  const packed = gzipSync(json);
  const content = async () => Buffer.from(json);
  const signed = `sha256=${createHmac("sha256", secret).update(packed).digest("hex")}`;

  it("is signed as it was sent, in both forms, and its content is the payload", async () => {
    const github = { "x-hub-signature-256": signed };
    const draft = await source({ secret })({ body: packed, content, headers: github });
    expect(JSON.stringify(draft?.payload)).toBe(json);
    const time = String(Math.floor(Date.now() / 1000));
    const key = Buffer.from(WHSEC.slice("whsec_".length), "base64");
    const made = createHmac("sha256", key).update(`msg_1.${time}.`).update(packed).digest("base64");
    const headers = {
      "webhook-id": "msg_1",
      "webhook-timestamp": time,
      "webhook-signature": `v1,${made}`,
    };
    const standard = await source({ secret: WHSEC })({ body: packed, content, headers });
    expect(JSON.stringify(standard?.payload)).toBe(json);
  });

  it("is not unpacked before its signature was checked", async () => {
    const unpacked = vi.fn(content);
    const headers = {
      "x-hub-signature-256": signed.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
    };
    const received = source({ secret })({ body: packed, content: unpacked, headers });
    await expect(received).rejects.toMatchObject({ status: 401 });
    expect(unpacked).not.toHaveBeenCalled();
  });
});

describe("what people really send", () => {
  it("may begin with a byte order mark, which the signature covers", async () => {
    const body = '\uFEFF{"a":1}';
    const headers = { "x-hub-signature-256": await signAsGithub("s", body) };
    const draft = await source({ secret: "s" })({ body, headers });
    expect(draft?.payload).toEqual({ a: 1 });
  });

  it("keeps numbers as they were written, and refuses what no double holds", async () => {
    const body = '{"id":12345678901234567890,"big":9007199254740993,"small":1}';
    expect(JSON.stringify((await source()({ body }))?.payload)).toBe(body);
    await expect(source()({ body: '{"amount":1e400}' })).rejects.toMatchObject({
      status: 400,
      reason: "NUMBER_OUT_OF_RANGE",
      message: expect.stringMatching(/^NUMBER_OUT_OF_RANGE: the number 1e400 at "amount"/),
    });
    await expect(source()({ body: "12345678901234567890" })).rejects.toThrow("the body is number");
  });
});
