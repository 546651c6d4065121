import { Writable } from "node:stream";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { describe, expect, it } from "vitest";
import { consoleActorConfig } from "./config.ts";
import { consoleActor } from "./console-actor.ts";
import connector from "./index.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github", platform_event: "push" },
  payload: { title: "a\nb\u001b[31m\u009b\u202e", list: [1] },
  trace_id: "trc_1",
};

async function print(config: unknown, output?: Writable) {
  let text = "";
  const collect = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const actor = consoleActor(consoleActorConfig.parse(config), output ?? collect);
  const { signal } = new AbortController();
  await actor.deliver(event, { route: "r", config: {}, attempt: 1, replay: 0, signal });
  return text;
}

describe("console actor", () => {
  it("prints one line an event", async () => {
    expect(await print({})).toBe("2026-11-01T00:00:00.000Z github push evt_1\n");
    expect(connector.id).toBe("console");
  });

  it("fills a template, empty where something is missing", async () => {
    const template = "{{route}}|{{ event.payload.list }}|{{event.nothing}}|{{launch_prompt}}";
    expect(await print({ template })).toBe("r|[1]||\n");
    expect(await print({ template: "[{{event.constructor.name}}{{event.__proto__}}]" })).toBe(
      "[]\n",
    );
  });

  it("shows control characters instead of obeying them", async () => {
    expect(await print({ template: "{{event.payload.title}}" })).toBe(
      "a\\nb\\u001b[31m\\u009b\\u202e\n",
    );
  });

  it("fails where the output fails", async () => {
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
    broken.on("error", () => undefined);
    await expect(print({}, broken)).rejects.toThrow("EPIPE");
  });
});
