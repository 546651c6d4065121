import { createHmac } from "node:crypto";
import webhook from "@orgloop/connector-webhook";
import type { PluginDefinition, Topology, TransformSpec } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS, SAMPLE_DELIVERY } from "@orgloop/testkit";
import dedup from "@orgloop/transform-dedup";
import { runningFunctions } from "../serverless/running-functions.ts";

/*
 * The functions in this process, as `functions-journey.ts` wants them; the same project as the
 * fixture `pipeline`.
 */

const SECRET = "walk";
const DEDUP = "@orgloop/transform-dedup";
const once: TransformSpec = {
  name: "once",
  type: "package",
  package: DEDUP,
  config: { key: ["payload.number"], window: "1h" },
  timeout_ms: 1_000,
  on_error: "drop",
};

const topology: Topology = {
  project: "pipeline",
  workspace: "walk",
  bus: { url: "sqs" },
  defaults: SAMPLE_DEFAULTS,
  network: { allow_private: ["127.0.0.1"] },
  sources: [{ id: "hook", connector: "webhook", config: { secret: SECRET } }],
  actors: [
    {
      id: "receiver",
      connector: "webhook",
      config: { url: process.env.RECEIVER_URL },
      queue_depth: 1000,
    },
  ],
  routes: [
    {
      name: "deliver",
      when: {
        source: ["hook"],
        events: ["resource.changed"],
        filter: { "payload.action": [{ "anything-but": "closed" }] },
      },
      transforms: [{ ref: "once" }],
      then: { actor: "receiver", config: {} },
      delivery: SAMPLE_DELIVERY,
    },
  ],
  transforms: [once],
  loggers: [],
};

const functions = await runningFunctions(
  topology,
  { webhook, [DEDUP]: dedup } as Record<string, PluginDefinition>,
  JSON.parse(process.env.WALK_AWS ?? ""),
);

async function send(number: number): Promise<void> {
  const body = JSON.stringify({ action: "opened", number });
  const { statusCode } = await functions.receive({
    rawPath: "/webhook/hook",
    rawQueryString: "",
    headers: {
      "content-type": "application/json",
      "x-github-delivery": String(number),
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    },
    body,
    isBase64Encoded: false,
    requestContext: { http: { method: "POST" } },
  });
  if (statusCode !== 200) throw new Error(`the webhook answered ${statusCode}`);
  const { bus, actorQueue } = functions.names;
  for (const queue of [bus, actorQueue("receiver")]) {
    while ((await functions.invoke(queue)) === 0);
  }
}

process.on("message", async ({ send: number }: { readonly send?: number }) => {
  if (number === undefined) return;
  await send(number);
  process.send?.({ sent: number });
});
process.send?.({ ready: true });
