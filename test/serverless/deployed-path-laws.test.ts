import webhook from "@orgloop/connector-webhook";
import {
  type Actor,
  defineConnector,
  type OrgLoopEvent,
  type PluginDefinition,
  type RouteSpec,
  type Topology,
} from "@orgloop/sdk";
import { anyConfig, SAMPLE_DEFAULTS, SAMPLE_DELIVERY } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { runningFunctions } from "./running-functions.ts";

/*
 * The laws of a bus (`@orgloop/sdk`, bus.ts) on the path that is deployed: function URL → SQS FIFO
 * → router → actor queues → deliver functions. What the functions say was accepted reaches every
 * actor, whatever dies on the way, in the order of its key.
 */

const ACTORS = ["steady", "moody"] as const;
const RUNS = 3;

interface Delivered {
  readonly n: number;
  readonly key: string;
}

/** A webhook source by whose key the bus is grouped, and two actors, each with a route. */
async function start() {
  const got: Record<string, Delivered[]> = { steady: [], moody: [] };
  const ill = { times: 0 };
  const actorOf = (id: string): Actor => ({
    async deliver({ payload }: OrgLoopEvent) {
      if (id === "moody" && ill.times > 0) {
        ill.times -= 1;
        throw new Error("not now");
      }
      got[id]?.push({ n: Number(payload.n), key: String(payload.key) });
      return undefined;
    },
  });
  const routes = ACTORS.map(
    (id): RouteSpec => ({
      name: `to-${id}`,
      when: { source: ["hook"], events: ["resource.changed"] },
      transforms: [],
      then: { actor: id, config: {} },
      delivery: {
        ...SAMPLE_DELIVERY,
        concurrency: 4,
        retry: { ...SAMPLE_DELIVERY.retry, max_attempts: 50, initial_delay: "1s", max_delay: "1s" },
      },
    }),
  );
  const topology: Topology = {
    project: "laws",
    workspace: "test",
    bus: { url: "sqs" },
    defaults: SAMPLE_DEFAULTS,
    sources: [{ id: "hook", connector: "webhook", config: {}, key: "payload.key" }],
    actors: ACTORS.map((id) => ({ id, connector: id, config: {}, queue_depth: 1_000 })),
    routes,
    transforms: [],
    loggers: [],
  };
  const plugins: Record<string, PluginDefinition> = { webhook: webhook as PluginDefinition };
  for (const id of ACTORS) {
    plugins[id] = defineConnector({
      id,
      actor: { config: anyConfig(), create: async () => actorOf(id) },
    }) as PluginDefinition;
  }
  return { functions: await runningFunctions(topology, plugins, inject("aws")), got, ill };
}

const request = (n: number, key: string, text: string) => ({
  rawPath: "/webhook/hook",
  rawQueryString: "",
  headers: { "content-type": "application/json", "idempotency-key": `delivery-${n}` },
  body: JSON.stringify({ n, key, text }),
  isBase64Encoded: false,
  requestContext: { http: { method: "POST" } },
});

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant("send"), key: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("send again"), of: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("route") }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("deliver"), to: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom("router dies", "actor is ill") }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("deliverer dies"), to: fc.nat(1) }) },
);

test("whatever dies, refuses or is sent again, what was accepted reaches every actor once it is well, in the order of its key", async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 12, maxLength: 24 }),
    async (steps) => {
      const { functions, got, ill } = await start();
      const { bus, actorQueue } = functions.names;
      const sent: Delivered[] = [];
      let deaths = 0;
      const post = async ({ n, key }: Delivered) => {
        // Beyond what a message holds: by way of the bucket.
        const text = n % 5 === 0 ? "ü".repeat(120_000) : "ü\u0000\u2028";
        expect((await functions.receive(request(n, key, text))).statusCode).toBe(200);
      };
      try {
        for (const one of steps) {
          const queue = actorQueue(ACTORS["to" in one ? one.to : 0] ?? "");
          if ("key" in one) {
            sent.push({ n: sent.length + 1, key: `k${one.key}` });
            await post(sent.at(-1) as Delivered);
          } else if ("of" in one) {
            const again = sent[one.of % Math.max(1, sent.length)];
            if (again !== undefined) await post(again);
          } else if (one.does === "route") await functions.invoke(bus);
          else if (one.does === "deliver") await functions.invoke(queue);
          else if (one.does === "actor is ill") ill.times += 1;
          else if (deaths < 3) {
            deaths += 1;
            await functions.die(one.does === "router dies" ? bus : queue);
          }
        }
        const all = (id: string) => new Set(got[id]?.map(({ n }) => n)).size === sent.length;
        await functions.run(() => ACTORS.every(all), 60_000);
        for (const id of ACTORS) {
          // A batch that died had reached no actor: nothing comes twice.
          expect(got[id]).toHaveLength(sent.length);
          const byKey = (list: readonly Delivered[], key: string) =>
            list.filter((one) => one.key === key);
          for (const key of ["k0", "k1", "k2"]) {
            expect(byKey(got[id] ?? [], key)).toEqual(byKey(sent, key));
          }
        }
      } finally {
        functions.end();
      }
    },
  );
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});
