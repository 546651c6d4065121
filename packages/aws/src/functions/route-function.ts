import { TRACE_WINDOW_MS, type TraceChain, wantedTransform } from "@orgloop/engine";
import type { Duration, Topology } from "@orgloop/sdk";
import { awsNames } from "../plan/aws-names.ts";
import { queueUrlBeside } from "../queue/queue-url.ts";
import type { BatchResponse, ReceivedMessage } from "../queue/received-message.ts";
import { type RouteBatchOptions, routeBatch } from "../routing/route-batch.ts";
import { routeTopology } from "../routing/route-topology.ts";
import { dynamoAccepted } from "../state/accepted-deliveries.ts";
import { dynamoAttempts } from "../state/attempts.ts";
import { dynamoRepeatClaims } from "../state/claims.ts";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoRefusingQueues } from "../state/refusing-queues.ts";
import { dynamoSourceEpochs } from "../state/source-epochs.ts";
import { dynamoGroupings } from "../state/source-groupings.ts";
import { dynamoTraces } from "../state/traces.ts";
import { messageHiding } from "./aws-clients.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";
import { itemOpener } from "./open-items.ts";

/** `ORGLOOP_SPEC` of the router. */
export interface RouteFunctionSpec {
  readonly topology: Topology;
  /** `topologyHash` of it. */
  readonly hash: string;
  /** `connectorRepeatWindows` of its sources; absent where an earlier version deployed it. */
  readonly repeat_windows?: Readonly<Record<string, Duration>>;
}

export type RouteFunction = (
  records: readonly ReceivedMessage[],
  remainingMs: () => number,
) => Promise<BatchResponse>;

/** The router: batches of the bus. The Topology is compiled here, once a cold start. */
export async function routeFunction(options: FunctionOptions): Promise<RouteFunction> {
  const tools = await functionTools<RouteFunctionSpec>(options);
  const { spec, state, clock, environment } = tools;
  const { topology, hash, repeat_windows: windows } = spec;
  const { now } = clock;
  const batch: RouteBatchOptions = {
    ...tools,
    ...(await routeTopology({
      ...tools,
      topology,
      windows,
      lives: await dynamoSourceEpochs(state).read(),
      openTransform: itemOpener(wantedTransform, tools),
    })),
    repeatClaims: dynamoRepeatClaims(state),
    topologyHash: hash,
    accepted: dynamoAccepted({ ...state, now }),
    refusing: dynamoRefusingQueues(state),
    groupings: dynamoGroupings(state),
    busUrl: environment.busUrl,
    historyUrl: queueUrlBeside(environment.busUrl, awsNames(environment.stage).history),
    hide: messageHiding(tools.aws.sqs),
    deadLetters: dynamoDeadLetters({ ...state, objects: tools.objects, now }),
    attempts: dynamoAttempts({ ...state, now }),
    traces: dynamoTraces<TraceChain>({ ...state, keptMs: TRACE_WINDOW_MS, now }),
  };
  return (records, remainingMs) => runMasked(tools, () => routeBatch(records, remainingMs, batch));
}
