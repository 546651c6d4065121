import { expireInboxes } from "../inbox/expire-inboxes.ts";
import { awsNames } from "../plan/aws-names.ts";
import { queueUrlBeside } from "../queue/queue-url.ts";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoInboxes } from "../state/inbox/inboxes.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";

/** The function that looks after the inboxes, once a minute. */
export async function sweepFunction(
  options: FunctionOptions,
): Promise<(remainingMs: () => number) => Promise<void>> {
  const tools = await functionTools<object>(options);
  const { state, clock, environment, objects } = tools;
  const { now, random } = clock;
  const names = awsNames(environment.stage);
  const host = {
    ...tools,
    stage: environment.stage,
    inboxes: dynamoInboxes({ ...state, objects, now, random }),
    deadLetters: dynamoDeadLetters({ ...state, objects, now }),
    queueUrlOf: (actor: string) => queueUrlBeside(environment.busUrl, names.actorQueue(actor)),
  };
  return (remainingMs) => runMasked(tools, () => expireInboxes(host, remainingMs));
}
