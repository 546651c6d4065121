import { ROUTER_CONCURRENCY } from "@orgloop/aws/plan";
import { eventSource } from "./event-source.ts";
import { routerPackages } from "./functions/function-packages.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import {
  readSecrets,
  receiveFrom,
  sendToActors,
  sendToHistory,
  useObjects,
  useTable,
} from "./grants.ts";
import { history } from "./history.ts";
import type { Stage } from "./stage.ts";
import { recordApplied, topologyPointer } from "./topology-pointer.ts";

const TIMEOUT_S = 30;
/** Six times the timeout (AWS, Lambda with SQS). */
export const ROUTER_VISIBILITY_S = 180;

/**
 * The router: it matches what the bus has against the Topology, and sends to the actors' queues.
 */
export function routing(stage: Stage) {
  const { names, topology } = stage;
  const stack = stage.stack("routing", "OrgLoop: the router");
  const { transforms, routes } = topology;
  const pointer = topologyPointer(stack, stage);
  const router = lambdaFunction(stack, "Router", stage, {
    kind: "route",
    name: names.router,
    description: `Routes the events of ${topology.project}`,
    packages: routerPackages(topology),
    spec: pointer,
    timeoutS: TIMEOUT_S,
    memoryMb: 1024,
    reservedConcurrency: ROUTER_CONCURRENCY,
    statements: [
      receiveFrom(names.bus),
      sendToActors(stage),
      sendToHistory(stage),
      useTable(stage, "route"),
      useObjects(stage, "claims"),
      // What transforms and filters use; an actor's secrets stay with its deliver function.
      ...readSecrets(stage, [transforms, routes.map(({ when }) => when)]),
    ],
  });
  const mapping = eventSource(stack, "Bus", {
    queue: names.bus,
    functionName: names.router,
    maximumConcurrency: ROUTER_CONCURRENCY,
  });
  mapping.addDependency(router);
  history(stack, stage);
  recordApplied(stack, stage, pointer, router);
  return stack;
}
