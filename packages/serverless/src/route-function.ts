import { awsNames } from "@orgloop/config/aws";
import { compileMatcher, type Router, TRACE_WINDOW_MS, type TraceChain } from "@orgloop/core";
import { bindRoute, wantedTransform } from "@orgloop/host";
import type { Prompt, RouteSpec, Topology } from "@orgloop/sdk";
import { dynamoAttempts, dynamoDeadLetters, dynamoTraces } from "@orgloop/stores/dynamodb";
import { messageHiding } from "./aws-clients.ts";
import { type FunctionOptions, functionTools } from "./function-tools.ts";
import { itemOpener } from "./open-items.ts";
import { queueUrlBeside } from "./queue-url.ts";
import type { BatchResponse, ReceivedMessage } from "./received-message.ts";
import { type RouteBatchOptions, routeBatch } from "./route-batch.ts";

/** `ORGLOOP_SPEC` of the router. */
export interface RouteSpecOfFunction {
  readonly topology: Topology;
  /** `topologyHash` of it. */
  readonly hash: string;
}

export type BatchFunction = (
  records: readonly ReceivedMessage[],
  remainingMs: () => number,
) => Promise<BatchResponse>;

/** The router: batches of the bus. The Topology is compiled here, once a cold start. */
export async function routeFunction(options: FunctionOptions): Promise<BatchFunction> {
  const tools = await functionTools<RouteSpecOfFunction>(options);
  const { spec, state, clock, flow, environment, secrets } = tools;
  const { topology, hash } = spec;
  const { now } = clock;
  const open = itemOpener(wantedTransform, tools);
  const specs = new Map(topology.transforms.map((transform) => [transform.name, transform]));
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  const conditions = await secrets.resolve(
    "the routes' filters",
    topology.routes.map(({ when }) => when),
  );
  const matcher = compileMatcher(
    topology.routes.map((route, at) => ({ ...route, when: conditions[at] ?? route.when })),
  );
  const names = awsNames(environment.stage);
  const queueUrlOf = (actor: string) => queueUrlBeside(environment.busUrl, names.actorQueue(actor));
  const batch: Omit<RouteBatchOptions, "routerFor"> = {
    ...tools,
    routes: new Map(topology.routes.map((route) => [route.name, route])),
    routesTo: countBy(topology.routes.map(({ then }) => then.actor)),
    topologyHash: hash,
    busUrl: environment.busUrl,
    queueUrlOf,
    hide: messageHiding(tools.aws.sqs),
    deadLetters: dynamoDeadLetters({ ...state, objects: tools.objects, now }),
    attempts: dynamoAttempts({ ...state, now }),
    traces: dynamoTraces<TraceChain>({ ...state, keptMs: TRACE_WINDOW_MS, now }),
  };
  return async (records, remainingMs) => {
    try {
      const running = await Promise.all(topology.transforms.map(open));
      const transforms = new Map(
        running.map((part, at) => [topology.transforms[at]?.name ?? "", { part }]),
      );
      const routerFor = (abandon: AbortSignal): Router => ({
        matcher,
        sources,
        transformsOf: (route) => bindRoute(route, { specs, transforms, clock, abandon }),
        promptOf,
        now,
        log: flow.log,
      });
      return await routeBatch(records, remainingMs, { ...batch, routerFor });
    } finally {
      flow.flush();
    }
  };
}

/** A function has no project's folder: the file is what the configuration calls it. */
function promptOf({ with: prompt }: RouteSpec): Prompt | undefined {
  return prompt?.prompt;
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
