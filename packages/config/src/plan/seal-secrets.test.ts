// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import type { Topology } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { topologyHash } from "./canonical-topology.ts";
import { planTopology } from "./plan-topology.ts";
import { holdsWrittenSecrets, sealSecrets } from "./seal-secrets.ts";

const seal = (text: string) => Buffer.from(text).toString("hex").padEnd(64, "0").slice(0, 64);
const topology = (config: Record<string, unknown>, bus = "file") =>
  ({
    project: "p",
    bus: { url: bus },
    sources: [{ id: "s", connector: "c", config }],
    actors: [],
    routes: [],
    transforms: [],
    loggers: [],
    defaults: {},
  }) as unknown as Topology;

test("what is written out is sealed and shows as a change; the same secret is the same seal", () => {
  const written = topology({
    secret: ["first-secret", "${OTHER}"],
    auth: { type: "bearer", token: "literal-token" },
    url: "https://me:p4ssword@host/x",
    event_type_field: "kind",
  });
  const sealed = sealSecrets(written, seal);
  const text = JSON.stringify(sealed);
  for (const one of ["first-secret", "literal-token", "p4ssword"]) expect(text).not.toContain(one);
  expect(text).toContain("${OTHER}");
  expect(text).toContain("https://me:hmac-sha256:");
  expect(topologyHash(sealSecrets(written, seal))).toBe(topologyHash(sealed));
  expect(sealSecrets(sealed, seal)).toBe(sealed);
  const other = topology({ ...written.sources[0]?.config, secret: ["second-secret", "${OTHER}"] });
  const { changes } = planTopology(sealed, sealSecrets(other, seal));
  expect(changes.map(({ name, action }) => [name, action])).toEqual([["s", "change"]]);
  expect(holdsWrittenSecrets(written)).toBe(true);
});

test("a topology without such secrets is the same object", () => {
  const plain = topology({
    secret: "${S}",
    token_file: "/x",
    url: "https://me:${PASS}@host",
    n: 1,
  });
  expect(sealSecrets(plain, seal)).toBe(plain);
  expect(holdsWrittenSecrets(plain)).toBe(false);
});

test("the password of a bus is sealed as well", () => {
  const sealed = sealSecrets(topology({}, "nats://me:p4ssword@host:4222"), seal);
  expect(sealed.bus.url).toMatch(/^nats:\/\/me:hmac-sha256:[0-9a-f]{64}@host:4222$/);
});

test("a number and a user alone are sealed, once; what is from vars is not", () => {
  const written = topology({ secret: 123_456_789, url: "https://ghp_token@host/x", n: 5 });
  const sealed = sealSecrets(written, seal);
  const config = sealed.sources[0]?.config;
  expect(config).toMatchObject({
    secret: expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/),
    url: expect.stringMatching(/^https:\/\/hmac-sha256:[0-9a-f]{64}@host\/x$/),
    n: 5,
  });
  expect(sealSecrets(sealed, seal)).toBe(sealed);
  expect(sealSecrets(topology({ secret: "123456789" }), seal).sources[0]?.config.secret).toBe(
    config?.secret,
  );
  const [source] = topology({ secret: "of-vars", url: "https://me:of-vars@host" }).sources;
  const open = { ...topology({}), sources: [{ ...source, from_vars: ["of-vars"] }] } as Topology;
  expect(sealSecrets(open, seal)).toBe(open);
});
