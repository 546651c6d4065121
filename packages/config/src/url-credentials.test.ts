import { expect, test } from "vitest";
import { replaceCredentials } from "./url-credentials.ts";

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
