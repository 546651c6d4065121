import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeliveryContext, OrgLoopEvent } from "@orgloop/sdk";
import { afterEach, describe, expect, test, vi } from "vitest";
import { eventBridgeActorConfig } from "./config.ts";
import { eventEntry } from "./event-entry.ts";
import { eventBridgeActor } from "./eventbridge-actor.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github", platform_event: "pull_request.opened" },
  payload: { n: 1 },
  trace_id: "trc_1",
};
const context: DeliveryContext = {
  route: "r",
  config: { subject: "hello" },
  attempt: 2,
  replay: 1,
  deliveryId: "evt_1.r1",
  signal: new AbortController().signal,
};
const parse = (config: object) => eventBridgeActorConfig.parse(config);

describe("an entry", () => {
  test("holds the event, and by what a consumer knows it again", () => {
    const entry = eventEntry(event, context, parse({ resources: ["arn:aws:x"] }));
    expect(entry).toMatchObject({
      EventBusName: "default",
      Source: "orgloop",
      DetailType: "pull_request.opened",
      Time: new Date(event.timestamp),
      Resources: ["arn:aws:x"],
    });
    expect(JSON.parse(entry.Detail ?? "")).toEqual({
      event,
      delivery: { id: "evt_1.r1", route: "r", attempt: 2, replay: 1 },
      config: { subject: "hello" },
    });
  });

  test("is of the type that the route says, else the actor, else the platform, else the event", () => {
    const typeOf = (config: object, ofRoute: object, given: OrgLoopEvent = event) =>
      eventEntry(given, { ...context, config: { ...ofRoute } }, parse(config)).DetailType;
    expect(typeOf({ detail_type: "a" }, { detail_type: "b" })).toBe("b");
    expect(typeOf({ detail_type: "a" }, {})).toBe("a");
    expect(typeOf({}, {})).toBe("pull_request.opened");
    expect(typeOf({}, {}, { ...event, provenance: { platform: "x" } })).toBe("resource.changed");
  });

  test("of 256 KB is refused for good, one byte less is taken; bytes, not characters", () => {
    const sized = (count: number, text = "x") => {
      const payload = { text: text.repeat(count) };
      return eventEntry({ ...event, payload }, context, parse({}));
    };
    const empty = sized(0);
    const rest = 256 * 1024 - 14 - [empty.Source, empty.DetailType, empty.Detail].join("").length;
    expect(() => sized(rest)).toThrow(expect.objectContaining({ code: "PERMANENT" }));
    expect(sized(rest - 1).Detail).toHaveLength((empty.Detail ?? "").length + rest - 1);
    expect(() => sized(Math.ceil(rest / 2), "é")).toThrow(
      expect.objectContaining({ code: "PERMANENT" }),
    );
  });
});

test.each([{ source: "aws.mine" }, { event_bus: "" }, { detail_type: "x".repeat(129) }])(
  "refuses %o",
  (config) => expect(eventBridgeActorConfig.safeParse(config).success).toBe(false),
);

describe("what EventBridge answers", () => {
  let server: Server | undefined;
  afterEach(() => {
    vi.unstubAllEnvs();
    server?.close();
  });

  async function deliverTo(status: number, answer: object) {
    let requests = 0;
    server = createServer((_, response) => {
      requests += 1;
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    const actor = eventBridgeActor(parse({ region: "eu-west-1" }));
    try {
      const outcome = await actor.deliver(event, context).then(
        (receipt) => receipt?.status,
        (error) => error.code,
      );
      return { outcome, requests };
    } finally {
      await actor.close?.();
    }
  }

  test.each([
    ["taken", 200, { FailedEntryCount: 0, Entries: [{ EventId: "1" }] }, "delivered"],
    ["no word of the entry", 200, {}, "ACTOR_FAILED"],
    ["a count without an entry", 200, { FailedEntryCount: 1, Entries: [] }, "ACTOR_FAILED"],
    ["an entry without an id", 200, { FailedEntryCount: 0, Entries: [{}] }, "ACTOR_FAILED"],
    ["throttled entry", 200, failed("ThrottlingException"), "ACTOR_FAILED"],
    ["failed entry", 200, failed("InternalFailure"), "ACTOR_FAILED"],
    ["malformed entry", 200, failed("MalformedDetail"), "PERMANENT"],
    ["missing bus", 400, { __type: "ResourceNotFoundException", message: "no" }, "ACTOR_FAILED"],
    ["broken service", 500, { __type: "InternalException", message: "no" }, "ACTOR_FAILED"],
  ] as const)("%s", async (_, status, answer, outcome) => {
    expect(await deliverTo(status, answer)).toEqual({ outcome, requests: 1 });
  });
});

function failed(ErrorCode: string) {
  return { FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage: "no" }] };
}
