import type { OrgLoopEvent } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { bodyRenderer } from "./render-request.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { number: 7, nothing: null },
  trace_id: "trc_1",
};
const config = { channel: "#reviews", tags: ["a"] };
const prompt = { text: "Do it", file: "/p.md", meta: null };
const route = "r";

test("by default event, config and prompt, each where there is one", () => {
  const render = bodyRenderer(undefined, true);
  const full = render({ event, route, config, prompt });
  expect(JSON.parse(full)).toEqual({ event, config, launch_prompt: "Do it" });
  expect(JSON.parse(render({ event, route, config: {} }))).toEqual({ event });
});

test("a template has every root, values keep their types, and nothing throws", () => {
  const missing: string[] = [];
  const template = {
    to: "{{config.channel}}",
    tags: "{{config.tags}}",
    title: "{{payload.number}}={{event.payload.number}}",
    number: "{{payload.number}}",
    nothing: "{{payload.nothing}}",
    event: "{{event}}",
    prompt: "{{prompt.file}} {{prompt}} {{route}}",
    none: "{{payload.none}}{{payload..title}}{{payload.constructor}}{{",
  };
  const onMissing = (path: string) => missing.push(path);
  const body = bodyRenderer(template, true)({ event, route, config, prompt, onMissing });
  expect(JSON.parse(body)).toEqual({
    to: "#reviews",
    tags: ["a"],
    title: "7=7",
    number: 7,
    nothing: null,
    event,
    prompt: "/p.md Do it r",
    none: "{{",
  });
  expect(missing).toEqual(["payload.none", "payload..title", "payload.constructor"]);
});
