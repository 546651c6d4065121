// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import type { StandardSchema } from "@orgloop/sdk";
import { expect, test } from "vitest";
import * as z from "zod";
import { resolveReferences } from "./resolve-references.ts";
import { secretValues, urlSecrets } from "./secret-values.ts";

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
  expect(urlSecrets({ url: "redis://:pass@host" })).toEqual(["pass", ":pass"]);
  expect(urlSecrets(["mail@host.example", 7, null, "https://host/"])).toEqual([]);
});

test("a reference that could not be resolved is none", () => {
  expect(valuesOf({ plain: "${A}", headers: { a: "x" } })).toEqual([]);
});

test("what is a value of vars is none", () => {
  const config = { pass: "of-vars-1", url: "https://me:of-vars-2@host" };
  expect(secretValues(schema, config, config, ["of-vars-1", "of-vars-2"])).toEqual([
    "me:of-vars-2",
  ]);
  expect(urlSecrets({ url: "nats://of-vars@host", from_vars: ["of-vars"] })).toEqual([]);
});
