import { expect, test } from "vitest";
import * as z from "zod";
import { secretKeys, secretsIn, secretTextsIn } from "./secret-keys.ts";

const secret = z.string().meta({ secret: true });
const schema = z
  .strictObject({
    secret: z.union([secret, z.array(secret)]).optional(),
    auth: z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("bearer"), token: secret }),
      z.strictObject({ type: z.literal("basic"), user: z.string(), password: secret }),
    ]),
    hooks: z.array(z.strictObject({ key: secret })),
    headers: z.record(z.string(), secret),
    url: z.string().transform((url) => new URL(url)),
  })
  .refine(() => true);

test("keys are found in unions, lists and free mappings", () => {
  const keys = secretKeys(schema).map((key) => key.join("."));
  const expected = [
    "secret",
    "secret.*",
    "auth.token",
    "auth.password",
    "hooks.*.key",
    "headers.*",
  ];
  expect(keys).toEqual(expected);
  expect(secretKeys(schema)).toBe(secretKeys(schema));
});

test("of a config, what stands there; of a list of secrets each", () => {
  const config = {
    secret: ["a", "b"],
    auth: { type: "bearer", token: "c" },
    hooks: [{ key: "d" }, { other: 1 }],
    headers: { "x-key": "e" },
    url: "https://a.test",
  };
  const found = secretsIn(schema, config).map(({ path, value }) => [path.join("."), value]);
  expect(found).toEqual([
    ["secret", ["a", "b"]],
    ["secret.0", "a"],
    ["secret.1", "b"],
    ["auth.token", "c"],
    ["hooks.0.key", "d"],
    ["headers.x-key", "e"],
  ]);
  for (const config of [null, "text", [], { secret: undefined, auth: 3 }]) {
    expect(secretsIn(schema, config)).toEqual([]);
  }
});

test("a schema of any other kind marks nothing", () => {
  const validate = (value: unknown) => ({ value });
  expect(secretKeys({ "~standard": { version: 1, vendor: "test", validate } })).toEqual([]);
});

test("keys are found behind references of a schema, also of one that holds itself, and beside what JSON has no form for", () => {
  const named = secret.meta({ id: "Named", secret: true });
  interface Node {
    token?: string | undefined;
    inner?: Node | undefined;
  }
  const node: z.ZodType<Node> = z.lazy(() =>
    z.object({ token: named.optional(), inner: node.optional() }),
  );
  const deep = z.object({
    first: named,
    second: named,
    pair: z.tuple([z.string(), named]),
    node,
    trimmed: z.preprocess((text) => text, z.string()),
  });
  const keys = secretKeys(deep).map((key) => key.join("."));
  expect(keys).toEqual(expect.arrayContaining(["first", "second", "pair.*", "node.token"]));
});

test("the texts below a marked key are secrets, each once", () => {
  const marked = z.strictObject({
    secret: z.union([secret, z.array(secret)]),
    deep: z.record(z.string(), z.unknown()).meta({ secret: true }),
  });
  const texts = secretTextsIn(marked, { secret: ["a", "b"], deep: { x: ["c", 1], y: { z: "d" } } });
  expect(texts.map(({ path, value }) => [path.join("."), value])).toEqual([
    ["secret.0", "a"],
    ["secret.1", "b"],
    ["deep.x.0", "c"],
    ["deep.y.z", "d"],
  ]);
});
