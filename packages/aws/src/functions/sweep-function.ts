import type { BusGrouping } from "@orgloop/engine";
import { expireInboxes } from "../inbox/expire-inboxes.ts";
import { sourceRegrouping } from "../intake/regroup-sources.ts";
import type { WatchedSource } from "../intake/source-health.ts";
import { watchStage } from "../intake/watch-stage.ts";
import { awsNames } from "../plan/aws-names.ts";
import { queueUrlBeside } from "../queue/queue-url.ts";
import { resendRefused } from "../routing/resend-refused.ts";
import { appliedTopology, dynamoAppliedState } from "../state/applied-state.ts";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoInboxes } from "../state/inbox/inboxes.ts";
import { dynamoRefusingQueues } from "../state/refusing-queues.ts";
import { dynamoRouteStates } from "../state/route-states.ts";
import { dynamoGroupings } from "../state/source-groupings.ts";
import { dynamoSourceStates } from "../state/source-states.ts";
import { messageCount } from "./aws-clients.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";

/** `ORGLOOP_SPEC` of the sweeper. */
export interface SweepSpec {
  /** Those that are polled. */
  readonly sources?: readonly WatchedSource[];
  /** How the events of each source are to be grouped on the bus. */
  readonly groupings?: Readonly<Record<string, BusGrouping>>;
  /** Whether inboxes are looked after. */
  readonly inboxes?: boolean;
}

/**
 * The function that looks after sources, breakers, refused deliveries and inboxes, once a minute.
 */
export async function sweepFunction(
  options: FunctionOptions,
): Promise<(remainingMs: () => number) => Promise<void>> {
  const tools = await functionTools<SweepSpec>(options);
  const { state, clock, environment, objects, spec, flow } = tools;
  const { now, random } = clock;
  const names = awsNames(environment.stage);
  const host = {
    ...tools,
    stage: environment.stage,
    inboxes: dynamoInboxes({ ...state, objects, now, random }),
    deadLetters: dynamoDeadLetters({ ...state, objects, now }),
    queueUrlOf: (actor: string) => queueUrlBeside(environment.busUrl, names.actorQueue(actor)),
  };
  const resending = {
    ...host,
    refusing: dynamoRefusingQueues(state),
    letters: host.deadLetters,
    applied: () => appliedTopology(dynamoAppliedState(state), objects),
  };
  const regroup = sourceRegrouping({
    wanted: new Map(Object.entries(spec.groupings ?? {})),
    groupings: dynamoGroupings(state),
    sendToBus: (message) => tools.sender.sendAll(environment.busUrl, [message]),
    countBus: () => messageCount(tools.aws.sqs)(environment.busUrl),
    now,
  });
  const watch = () =>
    watchStage({
      sources: spec.sources ?? [],
      states: dynamoSourceStates(state).read,
      routes: dynamoRouteStates({ ...state, now, random }),
      applied: dynamoAppliedState(state).read,
      ...{ now, flow },
    });
  return (remainingMs) =>
    runMasked(tools, async () => {
      const ended = await Promise.allSettled([
        watch(),
        regroup(),
        resendRefused(resending, remainingMs),
        ...(spec.inboxes === false ? [] : [expireInboxes(host, remainingMs)]),
      ]);
      for (const one of ended) if (one.status === "rejected") throw one.reason;
    });
}
