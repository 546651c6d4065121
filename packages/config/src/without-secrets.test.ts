// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { expect, test } from "vitest";
import { show } from "./describe-issue.ts";
import { withoutCredentials, withoutSecrets } from "./without-secrets.ts";

test.each([
  ["https://me:p4ssword@host/x", "https://me:(hidden)@host/x"],
  ["https://me:p4ss@word@host/x", "https://me:(hidden)@host/x"],
  ["https://ghp_token@host/x", "https://(hidden)@host/x"],
  ["redis+tls://:p4ssword@host", "redis+tls://:(hidden)@host"],
  ["go to HTTPS://me:p4ssword@host, or not", "go to HTTPS://me:(hidden)@host, or not"],
  ["https://me:p4${REST}@host", "https://me:(hidden)@host"],
])("of %s the credentials are not shown", (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
  expect(withoutSecrets({ config: { base: [text] } })).toEqual({ config: { base: [shown] } });
  expect(show(text, ["base"])).toBe(JSON.stringify(shown));
});

test.each([
  "https://me:${PASSWORD}@host/x",
  "https://${TOKEN}@host/x",
  "https://${USER}:${vars.password}@host/x",
  "https://host/@scope/name?mail=me@host",
  "me@host.example",
])("%s is shown as it is", (text) => {
  expect(withoutCredentials(text)).toBe(text);
});
