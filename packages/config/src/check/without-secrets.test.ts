// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import { show, withoutCredentials, withoutSecrets } from "@orgloop/engine";
import { WrittenNumber } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { holdsWrittenSecrets } from "../plan/seal-secrets.ts";
import { secretsFromVars, writtenSecrets } from "./written-secrets.ts";

test.each([
  ["https://me:p4ssword@host/x", "https://me:(hidden)@host/x"],
  ["https://me:p4ss@word@host/x", "https://me:(hidden)@host/x"],
  ["https://ghp_token@host/x", "https://(hidden)@host/x"],
  ["https://sk_live_key:@host/x", "https://(hidden):@host/x"],
  ["clone --from=https://me:p4ssword@host/x", "clone --from=https://me:(hidden)@host/x"],
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
  "ssh://git@host/acme/api",
  "git+ssh://git@host/acme/api",
  "https://host/@scope/name?mail=me@host",
  "me@host.example",
])("%s is shown as it is", (text) => {
  expect(withoutCredentials(text)).toBe(text);
});

test("a number under a secret's name is hidden as its text is, and what counts tokens is not", () => {
  const config = {
    secret: 123_456_789,
    token: new WrittenNumber("12345678901234567890"),
    api_key: [1234, "5678"],
    headers: { authorization: 42 },
    max_tokens: 4096,
    token_ttl: 60,
    port: 8080,
  };
  const hidden = "(hidden: a secret that is written out)";
  const shown = {
    secret: hidden,
    token: hidden,
    api_key: [hidden, hidden],
    headers: { authorization: hidden },
    max_tokens: 4096,
    token_ttl: 60,
    port: 8080,
  };
  expect(withoutSecrets({ config })).toEqual({ config: shown });
  expect(withoutSecrets(123_456_789, ["config", "secret"])).toBe(hidden);
  expect(writtenSecrets(config, {}).map((path) => path.join("."))).toEqual([
    "secret",
    "token",
    "api_key.0",
    "api_key.1",
    "headers.authorization",
  ]);
});

test("what is shown, sealed and warned of as a URL's credentials is the same", () => {
  const texts = [
    "https://me:p4ssword@host/x",
    "https://ghp_token@host/x",
    "https://sk_live_key:@host/x",
    "--url=nats://me:p4${REST}@host",
    "https://me:${PASSWORD}@host/x",
    "ssh://git@host/acme/api",
    "me@host.example",
  ];
  for (const url of texts) {
    const isHidden = withoutCredentials(url) !== url;
    expect([url, writtenSecrets({ url }, {}).length > 0]).toEqual([url, isHidden]);
    const topology = { sources: [{ config: { url } }], actors: [], transforms: [], loggers: [] };
    expect([url, holdsWrittenSecrets(topology as never)]).toEqual([url, isHidden]);
  }
});

test("a value of vars is no secret wherever it stands, a literal beside it is", () => {
  const vars = { team: "platform-team", n: 12_345_678, ref: "${TOKEN}", empty: "" };
  const config = {
    secret: "platform-team",
    auth: { token: "Bearer platform-team" },
    pin_token: 12_345_678,
    url: "https://me:platform-team@host",
    password: "literal-secret",
    other: "platform-team",
  };
  expect(writtenSecrets(config, vars)).toEqual([["password"]]);
  const from_vars = secretsFromVars(config, vars);
  expect(from_vars).toEqual(["platform-team", "12345678"]);
  expect(withoutSecrets({ config, from_vars })).toMatchObject({
    config: { ...config, password: "(hidden: a secret that is written out)" },
  });
  expect(secretsFromVars({ secret: "${TOKEN}", url: "https://host" }, vars)).toEqual([]);
});
