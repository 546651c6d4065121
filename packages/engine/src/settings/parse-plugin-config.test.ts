// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { expect, it } from "vitest";
import * as z from "zod";
import { parsePluginConfig } from "./parse-plugin-config.ts";

const schema = z.strictObject({
  url: z.url(),
  retries: z.int().min(0).default(3),
  mode: z.enum(["push", "pull"]).optional(),
  rotation: z.strictObject({ max_size: z.string() }).optional(),
  list: z.array(z.strictObject({ a: z.string() })).optional(),
  auth: z
    .union([z.strictObject({ token: z.string() }), z.strictObject({ user: z.string() })])
    .optional(),
});

it("gives the parsed value, defaults filled in", async () => {
  expect(await parsePluginConfig(schema, { url: "http://a" })).toEqual({
    value: { url: "http://a", retries: 3 },
    warnings: [],
  });
});

it("takes unknown keys out at every depth, with a warning and the nearest name", async () => {
  const { value, errors, warnings } = await parsePluginConfig(schema, {
    url: "http://a",
    retrise: 1,
    list: [{ a: "1" }, { a: "2", b: 3 }],
    auth: { token: "t", extra: 1 },
  });
  expect(errors).toBeUndefined();
  expect(value).toEqual({
    url: "http://a",
    retries: 3,
    list: [{ a: "1" }, { a: "2" }],
    auth: { token: "t" },
  });
  expect(warnings.map(({ path, message }) => `${path.join(".")}: ${message}`)).toEqual([
    'list.1.b: unknown key "b" is ignored: did you mean "a"? (known: a)',
    'auth.extra: unknown key "extra" is ignored (known: token, user)',
    'retrise: unknown key "retrise" is ignored: did you mean "retries"? (known: url, retries, mode, rotation, list, auth)',
  ]);
});

it("knows and ignores hook_type and path, and reads rotate as rotation", async () => {
  const config = { url: "http://a", hook_type: "x", path: "/hook", rotate: { max_size: "1mb" } };
  expect(await parsePluginConfig(schema, config)).toEqual({
    value: { url: "http://a", retries: 3, rotation: { max_size: "1mb" } },
    warnings: [],
  });
});

it("does not check the form of a value with a reference, but all else", async () => {
  const config = { url: "${URL}", retries: "${N}", mode: "pul" };
  const { errors } = await parsePluginConfig(schema, config);
  expect(errors?.map(({ path, message }) => `${path.join(".")}: ${message}`)).toEqual([
    'mode: expected one of push, pull, found "pul": did you mean "pull"?',
  ]);
  const open = { url: "${URL}", retries: 1 };
  expect(await parsePluginConfig(schema, open)).toEqual({ value: open, warnings: [] });
});

it("says what was expected in plain words, and shows no secret", async () => {
  const own = z.strictObject({
    api_token: z.number(),
    url: z.string(),
    n: z.number().max(5),
    auth: z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("bearer") }),
      z.strictObject({ type: z.literal("basic") }),
    ]),
    size: z.string().refine(() => false, "expected a size, e.g. 1mb"),
  });
  const config = { api_token: "hunter2", url: [], n: 9, auth: { type: "bearr" }, size: "big" };
  const { errors } = await parsePluginConfig(own, config);
  expect(errors?.map(({ message }) => message)).toEqual([
    "expected a number, found text",
    "expected text, found an empty list",
    "expected at most 5, found 9",
    'expected one of bearer, basic, found text: did you mean "bearer"?',
    'expected a size, e.g. 1mb, found "big"',
  ]);
});

it("waits for a schema that checks asynchronously", async () => {
  const slow = z.strictObject({
    a: z.string().refine(async (value) => value === "x", "must be x"),
  });
  expect(await parsePluginConfig(slow, { a: "x" })).toMatchObject({ value: { a: "x" } });
  expect((await parsePluginConfig(slow, { a: "y" })).errors).toMatchObject([
    { message: "must be x" },
  ]);
});

const secret = z.string().meta({ secret: true });
const secretive = z.strictObject({
  secret: z.union([secret.min(1), z.array(secret.min(1))]).optional(),
  auth: z.strictObject({ token: secret }).optional(),
  keys: z.record(z.string(), z.array(z.string())).meta({ secret: true }).optional(),
  name: z.string().optional(),
});
const errorsOf = async (config: unknown) =>
  (await parsePluginConfig(secretive, config)).errors?.map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );

it.each([
  [
    { secrt: "x" },
    'secrt: unknown key "secrt": did you mean "secret"? (known: secret, auth, keys, name)',
  ],
  [
    { Secret: "x" },
    'Secret: unknown key "Secret": did you mean "secret"? (known: secret, auth, keys, name)',
  ],
  [
    { SECRETS: "x" },
    'SECRETS: unknown key "SECRETS": did you mean "secret"? (known: secret, auth, keys, name)',
  ],
  [
    { auth: { token: "t", tokn: "x" } },
    'auth.tokn: unknown key "tokn": did you mean "token"? (known: token)',
  ],
])("a misspelt secret is an error: %j", async (config, message) => {
  expect(await errorsOf(config)).toEqual([message]);
});

it("the wrong key and what it leaves out are both told, other unknown keys warned of", async () => {
  const { errors, warnings } = await parsePluginConfig(secretive, { secrte: "x", nam: "n" });
  expect(errors).toHaveLength(1);
  expect(warnings.map(({ code }) => code)).toEqual(["unknown-key"]);
});

it.each([
  [{ secret: "" }, "secret"],
  [{ secret: " \n" }, "secret"],
  [{ secret: "\u00a0\u2003\u3000" }, "secret"],
  [{ secret: "\u200b\ufeff\u2060\u00ad" }, "secret"],
  [{ secret: ["x", ""] }, "secret.1"],
  [{ secret: ["x", "  "] }, "secret.1"],
  [{ keys: { a: ["x", " "] } }, "keys.a.1"],
  [{ auth: { token: "" } }, "auth.token"],
])("an empty secret is an error: %j", async (config, path) => {
  const key = path.replace(/\.\d$/, "").split(".").at(-1);
  const message = `${path}: "${key}" is empty: expected a secret, or no such key`;
  expect(await errorsOf(config)).toEqual([message]);
});

it("a secret that is a reference is known when it is used", async () => {
  expect(await errorsOf({ secret: "${SECRET}" })).toBeUndefined();
});

it("knows the keys of a schema of another library, by its JSON Schema; not those it gives up", async () => {
  const properties = { url: { type: "string" }, old: { deprecated: true } };
  const other = {
    "~standard": {
      version: 1,
      vendor: "other",
      validate: () => ({
        issues: [{ message: "no", code: "unrecognized_keys", keys: ["uri"], path: [] }],
      }),
      jsonSchema: { input: () => ({ type: "object", properties }) },
    },
  } as const;
  const { warnings } = await parsePluginConfig(other, { uri: "x" });
  expect(warnings[0]?.message).toBe(
    'unknown key "uri" is ignored: did you mean "url"? (known: url)',
  );
});
