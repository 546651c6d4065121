import { expect, test } from "vitest";
import { ingressLimit, ingressOf } from "./ingress-of.ts";

test("a kind alone, or with how much is taken at a time; what is not written is the default", () => {
  const preset = { kind: "function_url", concurrency: 50, requestsPerSecond: 500 };
  expect(ingressOf(undefined)).toEqual(preset);
  expect(ingressOf({ ingress: {} })).toEqual(preset);
  expect(ingressOf({ ingress: "api_gateway" })).toEqual({ ...preset, kind: "api_gateway" });
  expect(ingressOf({ ingress: { concurrency: 300 } })).toEqual({
    kind: "function_url",
    concurrency: 300,
    requestsPerSecond: 3_000,
  });
  expect(ingressLimit({ ingress: { concurrency: 300 } })).toContain("3000 requests a second");
});
