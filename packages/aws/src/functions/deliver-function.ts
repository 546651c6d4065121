import { wantedActor } from "@orgloop/engine";
import { type ActorSpec, DEFAULT_QUEUE_DEPTH, type NetworkSpec, OrgLoopError } from "@orgloop/sdk";
import { type DeliverBatchOptions, deliverBatch } from "../delivery/deliver-batch.ts";
import type { DeliveryInbox } from "../inbox/delivery-inbox.ts";
import { queueBound } from "../queue/queue-bound.ts";
import { queueUrlOfArn } from "../queue/queue-url.ts";
import type { BatchResponse, ReceivedMessage } from "../queue/received-message.ts";
import { dynamoAttempts } from "../state/attempts.ts";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoGivenUp } from "../state/given-up.ts";
import { dynamoRouteStates } from "../state/route-states.ts";
import { messageCount, messageHiding, messageRemoval } from "./aws-clients.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";
import { itemOpener } from "./open-items.ts";

/** `ORGLOOP_SPEC` of a deliver function. */
export interface DeliverSpec {
  readonly actors: readonly ActorSpec[];
  /**
   * Actors that routes wait for: what comes for them is kept, within the bound and for as long as
   * messages may wait.
   */
  readonly awaited?: readonly string[];
  readonly network?: NetworkSpec;
}

/** The deliver function: batches of one actor's queue, which `queueArn` names. */
export async function deliverFunction(
  options: FunctionOptions,
): Promise<
  (
    records: readonly ReceivedMessage[],
    queueArn: string,
    remainingMs: () => number,
  ) => Promise<BatchResponse>
> {
  const tools = await functionTools<DeliverSpec>(options);
  const { spec, state, clock, environment } = tools;
  const { now, random } = clock;
  const { stage } = environment;
  let inbox: Promise<DeliveryInbox> | undefined;
  const actors = new Map(spec.actors.map((actor) => [actor.id, actor]));
  const awaited = new Set(spec.awaited);
  const open = itemOpener(wantedActor, tools);
  const batch: DeliverBatchOptions = {
    ...tools,
    openActor: async (id) => {
      const actor = actors.get(id);
      if (actor !== undefined) return open(actor);
      if (awaited.has(id)) return null;
      throw new OrgLoopError("UNKNOWN_ACTOR", `this function delivers to no actor "${id}"`);
    },
    depthOf: (id) => (awaited.has(id) ? DEFAULT_QUEUE_DEPTH : actors.get(id)?.queue_depth),
    bound: queueBound({
      count: messageCount(tools.aws.sqs),
      givenUp: dynamoGivenUp({ ...state, now, random }),
      now,
    }),
    hide: messageHiding(tools.aws.sqs),
    remove: messageRemoval(tools.aws.sqs),
    attempts: dynamoAttempts({ ...state, now }),
    routeStates: dynamoRouteStates({ ...state, now, random }),
    inbox() {
      inbox ??= import("../inbox/table-inbox.ts").then(({ tableInbox }) =>
        tableInbox({ ...tools, stage }),
      );
      return inbox;
    },
    deadLetters: dynamoDeadLetters({ ...state, objects: tools.objects, now }),
  };
  let queue = { arn: "", url: "" };
  return (records, queueArn, remainingMs) => {
    // A function has one queue, or a few.
    if (queue.arn !== queueArn) {
      queue = { arn: queueArn, url: queueUrlOfArn(queueArn, environment.busUrl) };
    }
    return runMasked(tools, () => deliverBatch(records, queue.url, remainingMs, batch));
  };
}
