import type { OrgLoopEvent } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { webhookActorConfig } from "./config.ts";
import { urlRenderer } from "./render-request.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: {},
  trace_id: "trc_1",
};

const url = (template: string, payload: OrgLoopEvent["payload"], config = {}) =>
  urlRenderer(template)({ event: { ...event, payload }, route: "r", config });

test("values are percent-encoded, each in its place", () => {
  const template =
    "https://a.test/x/{{payload.repo}}/{{event.payload.n}}?l={{payload.list}}&c={{config.c}}";
  const payload = { repo: "a/b?c#d é\ud800", n: 7, list: [1] };
  expect(url(template, payload, { c: "x&y=z" })).toBe(
    "https://a.test/x/a%2Fb%3Fc%23d%20%C3%A9%EF%BF%BD/7?l=%5B1%5D&c=x%26y%3Dz",
  );
});

test.each(["..", "."])("%s in the path would climb: refused for good", (name) => {
  const climbs = () => url("https://a.test/x/{{payload.name}}/y", { name });
  expect(climbs).toThrow(expect.objectContaining({ code: "PERMANENT" }));
  expect(() => url("https://a.test/x/.{{payload.name}}", { name: "." })).toThrow("url");
  expect(url("https://a.test/x/../y?{{payload.name}}", { name })).toMatch(name);
});

test.each([
  "{{payload.url}}",
  "https://{{payload.host}}/x",
  "https://a.test:{{payload.port}}/",
  "https://a.{{payload.host}}",
  "{{payload.scheme}}://a.test/",
  "https://a.test\\{{payload.x}}",
])("%s does not say where it goes, and is refused", (template) => {
  expect(webhookActorConfig.safeParse({ url: template }).success).toBe(false);
});

test.each([
  "https://a.test/{{payload.x}}",
  "https://a.test?{{payload.x}}",
  "http://a.test:1/#{{id}}",
])("%s is taken", (template) => {
  expect(webhookActorConfig.safeParse({ url: template }).success).toBe(true);
});
