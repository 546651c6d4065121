import { expect, test } from "vitest";
import { replaceCredentials, withoutUserinfo } from "./url-credentials.ts";

const hidden = (text: string) => replaceCredentials(text, () => "(hidden)");

test.each([
  ["http://user:hunter2hunter2@host/a@b", "http://user:(hidden)@host/a@b"],
  ["http://user:has/slash-12345@127.0.0.1:80/echo", "http://user:(hidden)@127.0.0.1:80/echo"],
  ["http://user:pass#word%with/slash@host/", "http://user:(hidden)@host/"],
  ["http://user:what?ever@host/ and more", "http://user:(hidden)@host/ and more"],
  ["http://127.0.0.1:8080/@scope/pkg", "http://127.0.0.1:8080/@scope/pkg"],
  ["http://host:8080?to=a@b", "http://host:8080?to=a@b"],
])("%s has its password hidden", (text, shown) => {
  expect(hidden(text)).toBe(shown);
});

test.each([
  ["file", "file"],
  ["nats://host:4222", "nats://host:4222"],
  ["redis://:secret@host:6379/0", "redis://host:6379/0"],
  ["redis://user:has/slash@host:6379/0", "redis://host:6379/0"],
  ["nats://user:p@ss@host", "nats://host"],
  ["kafka://host:9092/a@b", "kafka://host:9092/a@b"],
])("of %s this is shown: %s", (url, shown) => {
  expect(withoutUserinfo(url)).toBe(shown);
});
