import { hasCode, isRefused, messageOf, OrgLoopError, type Topology } from "@orgloop/sdk";
import { type Context, Hono } from "hono";
import type { Configuration } from "../apply/configuration.ts";
import type { ActorDeliverer } from "../delivery/actor-deliverer.ts";
import { readJson } from "./read-json.ts";

export interface ConfigurationApiOptions {
  readonly configuration: Pick<Configuration, "apply" | "running">;
  readonly deliverers: ReadonlyMap<string, ActorDeliverer>;
}

/** 10,000 routes with their prompts take some 20 MB. */
const LIMIT_BYTES = 128 * 1024 ** 2;

/**
 * `GET /control/topology`: `{ serial, hash, topology }`, what runs. `GET /control/queues`: `{
 * routes, actors }`, how many deliveries are unsettled; also of what is gone and still has some.
 * `POST /control/apply`: `{ topology, expect? }` → `{ serial, hash, summary, renewed }`; 409 where
 * something else runs than `expect` says, 400 for nonsense, 422 for what cannot run, each with `{
 * error, code }`.
 */
export function configurationApi({ configuration, deliverers }: ConfigurationApiOptions): Hono {
  const api = new Hono();
  api.get("/topology", (c) => c.json(configuration.running()));
  api.get("/queues", (c) => c.json(queuesOf(deliverers)));
  api.post("/apply", async (c) => {
    const { topology, expect } = await readRequest(c);
    return c.json(await configuration.apply(topology, expect));
  });
  api.onError((error, c) => {
    const body = { error: messageOf(error), code: codeOf(error) };
    const status = statusOf(error);
    return c.json(body, status, status === 503 ? { "retry-after": "5" } : {});
  });
  return api;
}

async function readRequest(c: Context) {
  const { parseTopology } = await import("../apply/parse-topology.ts");
  const { topology, expect } = await readJson(c, LIMIT_BYTES);
  const wanted: Topology = parseTopology(topology);
  if (expect === undefined || expect === null) return { topology: wanted };
  const { serial, hash } = Object(expect);
  if (!Number.isSafeInteger(serial) || (typeof hash !== "string" && hash !== null)) {
    throw new OrgLoopError("INVALID_REQUEST", "expect: expected { serial, hash }");
  }
  return { topology: wanted, expect: { serial, hash } };
}

function queuesOf(deliverers: ConfigurationApiOptions["deliverers"]) {
  const routes = new Map<string, number>();
  const actors = new Map<string, number>();
  for (const [id, deliverer] of deliverers) {
    actors.set(id, deliverer.queued + deliverer.inFlight);
    for (const [route, count] of deliverer.unsettled()) {
      routes.set(route, (routes.get(route) ?? 0) + count);
    }
  }
  return { routes: Object.fromEntries(routes), actors: Object.fromEntries(actors) };
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "FAILED";

const NONSENSE = ["INVALID_JSON", "INVALID_REQUEST", "INVALID_TOPOLOGY"];

function statusOf(error: unknown): 400 | 409 | 413 | 422 | 500 | 503 {
  if (isRefused(error)) return error.status === 413 ? 413 : 400;
  if (NONSENSE.includes(codeOf(error))) return 400;
  if (hasCode(error, "STATE_MISMATCH")) return 409;
  if (hasCode(error, "DRAINING") || hasCode(error, "STARTING")) return 503;
  // The operating system's: the disk did not take the state.
  return error instanceof Error && "errno" in error ? 500 : 422;
}
