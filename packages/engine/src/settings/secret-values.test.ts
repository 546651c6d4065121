// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import type { StandardSchema } from "@orgloop/sdk";
import { expect, test } from "vitest";
import * as z from "zod";
import { resolveReferences } from "./references.ts";
import { secretValues, unmarkedSecrets } from "./secret-values.ts";

const secret = z.string().min(1).meta({ secret: true }).describe("A secret.");
const schema = z
  .strictObject({
    pass: secret.optional().describe("Rotates."),
    several: z.union([secret, z.array(secret).min(1)]).optional(),
    pin: z.number().meta({ secret: true }).optional(),
    auth: z
      .discriminatedUnion("type", [
        z.strictObject({ type: z.literal("a"), phrase: secret }),
        z.strictObject({ type: z.literal("b"), name: z.string() }),
      ])
      .optional(),
    headers: z.record(z.string(), z.string()).default({}).meta({ secret: "references" }),
    url: z.string().optional(),
    plain: z.string().optional(),
  })
  .refine(() => true);

function valuesOf(written: object, env: Record<string, string> = {}, by: StandardSchema = schema) {
  return [...secretValues(by, written, resolveReferences(written, env).value)].sort();
}

const unmarked = (written: unknown, env: Record<string, string> = {}) =>
  unmarkedSecrets(written, resolveReferences(written, env).value);

test("what the schema marks is a secret, however deep, in lists and in branches of a union", () => {
  expect(valuesOf({ pass: "one", plain: "x", several: ["two", "three"], pin: 12345678 })).toEqual([
    "12345678",
    "one",
    "three",
    "two",
  ]);
  expect(valuesOf({ several: "alone", auth: { type: "a", phrase: "deep" } })).toEqual([
    "alone",
    "deep",
  ]);
  expect(valuesOf({ auth: { type: "b", name: "nobody" }, plain: "${P}" }, { P: "public" })).toEqual(
    [],
  );
});

test("of headers and variables the references are, and what is called a secret", () => {
  const headers = {
    "x-team": "platform",
    "x-key": "v1=${KEY};${MORE}",
    authorization: "Bearer written-out",
    "x-api-key": "literal",
  };
  expect(valuesOf({ headers }, { KEY: "k", MORE: "m" })).toEqual([
    "Bearer written-out",
    "k",
    "literal",
    "m",
    "written-out",
  ]);
});

test("without a schema of zod the names decide", () => {
  const config = { signing_secret: "s", token_file: "/x", nested: { apiKey: "n" }, other: "o" };
  const validate = (value: unknown) => ({ value });
  const own = { "~standard": { version: 1 as const, vendor: "test", validate } };
  expect(valuesOf(config, {}, own)).toEqual(["n", "s"]);
});

test("the credentials of a URL are, wherever it stands", () => {
  expect(valuesOf({ url: "https://me:p%40ss@host/x" })).toEqual([
    "me:p%40ss",
    "me:p@ss",
    "p%40ss",
    "p@ss",
  ]);
  expect(valuesOf({ plain: "see nats://token@host:4222 and http://host/a@b" })).toEqual(["token"]);
  expect(unmarked({ url: "redis://:pass@host" })).toEqual(["pass", ":pass"]);
  expect(unmarked(["mail@host.example", 7, null, "https://host/"])).toEqual([]);
});

test("a reference that could not be resolved is none", () => {
  expect(valuesOf({ plain: "${A}", headers: { a: "x" } })).toEqual([]);
});

test("what is a value of vars is none", () => {
  const url = "https://me:of-vars-2@host";
  const config = { pass: "of-vars-1", url, several: ["Bearer of-vars-1"] };
  expect(secretValues(schema, config, config, ["of-vars-1", "of-vars-2"])).toEqual([]);
  expect(unmarked({ url: "nats://of-vars@host", from_vars: ["of-vars"] })).toEqual([]);
});

test.each([
  ["https://hooks.example/x?token=${T}", { T: "tok-1" }, ["tok-1"]],
  ["https://hooks.example/bot${T}/send", { T: "tok-1" }, ["tok-1"]],
  ["https://${HOST}:${PORT}/x#${T}", { HOST: "example", PORT: "8080", T: "tok-1" }, ["tok-1"]],
  ["https://${USER}:${PASS}@host/", { USER: "u", PASS: "p" }, ["p", "u", "u:p"]],
  ["${BASE}/x?token=${T}", { BASE: "https://host/base", T: "tok" }, ["/base", "base", "tok"]],
  ["https://h/{{ payload.x }}?t=${T}", { T: 'a b"c' }, ['a b"c', "a%20b%22c"]],
  ["https://h/?t=${T}", { T: "a%2Fb" }, ["a%2Fb", "a/b"]],
  ["curl -s 'https://h/?t=${T}' ${OTHER}", { T: "tok", OTHER: "other" }, ["tok"]],
  ["${PLAIN} or https://host/x", { PLAIN: "plain" }, []],
  ["https://${HOST}/x", { HOST: "host.example" }, []],
  [
    "${HOOK}",
    { HOOK: "https://hooks.example/services/T0001/B0001/Xy12Zw34?to=me" },
    ["/services/T0001/B0001/Xy12Zw34?to=me", "Xy12Zw34", "me"],
  ],
])("what references bring into a URL behind its host is: %s", (url, env, secrets) => {
  const found = [...valuesOf({ plain: url }, env as Record<string, string>)];
  expect(found).toEqual(expect.arrayContaining(secrets));
  const others = found.filter((one) => !secrets.some((secret) => secret === one));
  expect(others.every((one) => `/${one}` === secrets[0])).toBe(true);
  expect([...unmarked({ nested: [url] }, env as Record<string, string>)].sort()).toEqual(found);
});

test("without a schema, references under a secret's name are, and nothing that is written out", () => {
  const written = { api_token: "${T}", other: "${O}", list: { password: ["${T}x", "literal"] } };
  expect(unmarked(written, { T: "tok", O: "open" })).toEqual(["tok"]);
});
