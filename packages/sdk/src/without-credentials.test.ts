import { expect, test } from "vitest";
import { withoutCredentials } from "./without-credentials.ts";

test.each([
  ["file", "file"],
  ["nats://host:4222", "nats://host:4222"],
  ["redis://:secret@host:6379/0", "redis://host:6379/0"],
  ["nats://user:p@ss@host", "nats://host"],
  ["kafka://host:9092/a@b", "kafka://host:9092/a@b"],
])("of %s this is shown: %s", (url, shown) => {
  expect(withoutCredentials(url)).toBe(shown);
});
