import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { explainAwsError, isMissing, noStage } from "./aws-errors.ts";

const ASKED = { workspace: "production", region: "eu-west-1" };

/** An error as the SDK throws it. */
const thrown = (name: string, message = "said so") =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });

test.each([
  ["AWS_NO_CREDENTIALS", thrown("CredentialsProviderError"), "AWS_PROFILE"],
  ["AWS_NO_REGION", new Error("Region is missing"), "aws.region"],
  ["AWS_CREDENTIALS_REFUSED", thrown("ExpiredTokenException"), "said so"],
  ["AWS_DENIED", thrown("AccessDenied", "not authorized: sqs:ListQueues"), "sqs:ListQueues"],
  ["NO_STAGE", thrown("ResourceNotFoundException"), "sst deploy --stage production"],
  ["NO_STAGE", thrown("QueueDoesNotExist"), "in eu-west-1"],
  ["AWS_FAILED", thrown("InternalError"), "InternalError"],
])("%s: what happened and what to do", (code, error, part) => {
  const explained = explainAwsError(error, ASKED);
  expect(hasCode(explained, code)).toBe(true);
  expect(messageOf(explained)).toContain(part);
  expect((explained as Error).cause).toBe(error);
});

test("a connection that fails names where it went, also where several were tried", () => {
  const refused = Object.assign(new AggregateError([]), {
    errors: [Object.assign(new Error("connect"), { code: "ECONNREFUSED" })],
  });
  const explained = explainAwsError(refused, ASKED);
  expect(hasCode(explained, "AWS_UNREACHABLE")).toBe(true);
  expect(messageOf(explained)).toMatch(/cannot be reached: ECONNREFUSED$/);
});

test("errors of our own, and bugs, stay as they are", () => {
  for (const error of [new OrgLoopError("USAGE", "x"), noStage(ASKED), new TypeError("x"), "x"]) {
    expect(explainAwsError(error, ASKED)).toBe(error);
  }
  expect(isMissing(thrown("NoSuchBucket"))).toBe(true);
  expect(isMissing(thrown("AccessDenied"))).toBe(false);
});
