// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { knownSecrets, wantedActor } from "@orgloop/engine";
import { type ActorSpec, defineConnector, type PluginDefinition } from "@orgloop/sdk";
import { memoryClaims } from "@orgloop/stores";
import { anyConfig, fakeClock } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { itemOpener } from "./open-items.ts";
import { secrets } from "./secrets.ts";

function opening(parameters: Map<string, string>) {
  const clock = fakeClock();
  const created: { readonly config: unknown; readonly stateless: boolean | undefined }[] = [];
  const closed: number[] = [];
  const asked: (readonly string[])[] = [];
  const connector = defineConnector({
    id: "chat",
    actor: {
      config: anyConfig(),
      async create(config, { stateless, fetch }) {
        const { cause } = await fetch("http://169.254.169.254/").catch((error) => error);
        expect(cause).toMatchObject({ code: "PRIVATE_ADDRESS" });
        const number = created.push({ config, stateless });
        return {
          deliver: async () => undefined,
          close: async () => void closed.push(number),
        };
      },
    },
  }) as PluginDefinition;
  const known = knownSecrets();
  const open = itemOpener(wantedActor, {
    plugins: { chat: connector },
    projectDir: "/",
    known,
    allowPrivate: [],
    clock,
    claims: memoryClaims(),
    flow: { log: () => {}, count: () => {} },
    secrets: secrets({
      prefix: "/sst/app/stage/Secret/",
      now: clock.now,
      known,
      async read(names) {
        asked.push(names);
        return parameters;
      },
    }),
  });
  return { open, clock, created, closed, asked };
}

const actor = (config: ActorSpec["config"], connector = "chat"): ActorSpec => ({
  id: "a",
  connector,
  config,
  queue_depth: 1,
});

test("an item without secrets is opened once, and told that its host forgets", async () => {
  const it = opening(new Map());
  const spec = actor({ room: "x" });
  const first = await it.open(spec);
  await it.clock.advance(86_400_000);
  expect(await it.open(spec)).toBe(first);
  expect(it.created).toEqual([{ config: { room: "x" }, stateless: true }]);
  expect(it.asked).toEqual([]);
});

test("secrets are read together, kept for 5 minutes, and a changed one is used after that", async () => {
  const parameters = new Map([
    ["/sst/app/stage/Secret/A/value", "one"],
    ["/sst/app/stage/Secret/B/value", "${A}"],
  ]);
  const it = opening(parameters);
  const spec = actor({ token: "${A}", both: ["${A}-${B}"] });
  await it.open(spec);
  await it.open(spec);
  // What a secret holds is text, never a reference.
  expect(it.created).toMatchObject([{ config: { token: "one", both: ["one-${A}"] } }]);
  expect(it.asked).toEqual([["/sst/app/stage/Secret/A/value", "/sst/app/stage/Secret/B/value"]]);
  parameters.set("/sst/app/stage/Secret/A/value", "two");
  await it.clock.advance(300_000);
  await it.open(spec);
  expect(it.created[1]).toMatchObject({ config: { token: "two" } });
  expect(it.closed).toEqual([1]);
});

test("what cannot be opened says why, and is tried again", async () => {
  const parameters = new Map<string, string>();
  const it = opening(parameters);
  const spec = actor({ token: "${A}" });
  await expect(it.open(spec)).rejects.toMatchObject({
    code: "MISSING_SECRETS",
    message: expect.stringContaining('actor "a": A not set'),
  });
  parameters.set("/sst/app/stage/Secret/A/value", "one");
  await it.open(spec);
  expect(it.created).toHaveLength(1);
  const other = opening(new Map());
  await expect(other.open(actor({}, "absent"))).rejects.toMatchObject({ code: "PLUGIN_NOT_FOUND" });
});
