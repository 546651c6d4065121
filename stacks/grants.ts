import { type ActorSpec, OrgLoopError } from "@orgloop/sdk";
import { Aws } from "aws-cdk-lib";
import { eventBusArn, objectArn, parameterArn, queueArn, tableArn } from "./arns.ts";
import type { SpecValue } from "./functions/spec-value.ts";
import type { FunctionKind, Stage } from "./stage.ts";

/** One statement of a policy; every grant is of this form, so that a test can read them all. */
export interface Statement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: object;
}

const allow = (Action: readonly string[], ...Resource: readonly string[]): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});

/** The stage's bucket. */
export const bucketOf = ({ names }: Stage): string => names.bucket(Aws.ACCOUNT_ID, Aws.REGION);

/**
 * What the keys of the items begin with that each kind of function reads and writes: those that its
 * code can reach, no more (`test/stacks/least-privilege.test.ts`).
 */
const ITEMS: Readonly<Record<FunctionKind, readonly string[]>> = {
  poll: ["bus-group", "claim", "letter", "source"],
  receive: ["bus-group", "claim", "letter"],
  route: ["bus-group", "accepted", "claim", "delivery", "letter", "source-lives", "stage", "trace"],
  deliver: ["bound", "claim", "delivery", "inbox", "letter", "route", "waiting"],
  sweep: ["bus-group", "claim", "inbox", "letter", "route", "source", "stage", "waiting"],
  record: ["bus-group", "source-lives", "stage"],
  history: [],
  empty: [],
};

/** Reads and writes the items of its kind; `items` are more exact keys, in the place of theirs. */
export function useTable(
  { names }: Stage,
  kind: FunctionKind,
  items: Readonly<Record<string, readonly string[]>> = {},
): Statement {
  const keys = ITEMS[kind].flatMap((item) => items[item] ?? [`${item}#*`]);
  return {
    ...allow(
      [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ],
      tableArn(names.table),
    ),
    Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } },
  };
}

const SEND = ["sqs:GetQueueAttributes", "sqs:SendMessage"];

export const sendToBus = ({ names }: Stage): Statement => allow(SEND, queueArn(names.bus));

export const sendToHistory = ({ names }: Stage): Statement =>
  allow(["sqs:SendMessage"], queueArn(names.history));

/** The one wildcard, here: actors come and go, the router's role stays as it is. */
export const sendToActors = ({ names }: Stage): Statement =>
  allow(SEND, queueArn(`${names.actorPrefix}*.fifo`));

export const receiveFrom = (...queues: readonly string[]): Statement =>
  allow(
    [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
    ],
    ...queues.map(queueArn),
  );

/**
 * Queues of one role that are named each: of more, their names alone would be most of what a role's
 * policies may hold.
 */
const MAX_NAMED = 30;

/**
 * Receives from the queues of actors that share a function; of many, by the prefix that all actors'
 * queues have.
 */
export const receiveFor = ({ names }: Stage, actors: readonly string[]): Statement =>
  actors.length > MAX_NAMED
    ? receiveFrom(`${names.actorPrefix}*.fifo`)
    : receiveFrom(...actors.map(names.actorQueue));

/**
 * Sends to the queues of those of the actors whose function tells them of an inbox: by that way it
 * gets to them as any event does.
 */
export function tellOfInboxes(stage: Stage, actors: readonly string[]): readonly Statement[] {
  const reported = actors.filter((id) => stage.inboxes.actors.has(id));
  if (reported.length === 0) return [];
  if (reported.length > MAX_NAMED) return [sendToActors(stage)];
  return [allow(SEND, ...reported.map((id) => queueArn(stage.names.actorQueue(id))))];
}

/** Reads and writes objects under `folder` of the stage's bucket. */
export const useObjects = (stage: Stage, folder: string): Statement =>
  allow(["s3:GetObject", "s3:PutObject"], objectArn(bucketOf(stage), `${folder}/*`));

export const readObjects = (stage: Stage, folder: string): Statement =>
  allow(["s3:GetObject"], objectArn(bucketOf(stage), `${folder}/*`));

export const writeObjects = (stage: Stage, folder: string): Statement =>
  allow(["s3:PutObject"], objectArn(bucketOf(stage), `${folder}/*`));

/** Empties the stage's bucket before it is deleted. */
export const emptyBucket = (stage: Stage): readonly Statement[] => [
  allow(["s3:ListBucket"], `arn:${Aws.PARTITION}:s3:::${bucketOf(stage)}`),
  allow(["s3:DeleteObject"], objectArn(bucketOf(stage), "*")),
];

/** Reads the one object that a spec lies in, where it lies in one. */
export const readAsset = ({ objectArn }: SpecValue): readonly Statement[] =>
  objectArn === undefined ? [] : [allow(["s3:GetObject"], objectArn)];

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The names of all `${NAME}` in a value, sorted. */
export function secretsOf(value: unknown): readonly string[] {
  const text = JSON.stringify(value) ?? "";
  return [...new Set([...text.matchAll(REFERENCE)].map(([, name = ""]) => name))].sort();
}

/**
 * Reads the secrets that `value` refers to, each by its own parameter; none where there are none.
 */
export function readSecrets({ secretPrefix }: Stage, value: unknown): readonly Statement[] {
  const parameters = secretsOf(value).map((name) => parameterArn(`${secretPrefix}${name}/value`));
  return parameters.length === 0
    ? []
    : [allow(["ssm:GetParameter", "ssm:GetParameters"], ...parameters)];
}

/** Encrypts and decrypts with the customer's key, where there is one. */
export const useKey = ({ topology }: Stage): readonly Statement[] =>
  topology.aws?.kms_key === undefined
    ? []
    : [allow(["kms:Decrypt", "kms:GenerateDataKey"], topology.aws.kms_key)];

/** What actors do in AWS itself: EventBridge takes events on the buses that they name. */
export function connectorGrants(actors: readonly ActorSpec[]): readonly Statement[] {
  const buses = actors
    .filter(({ connector }) => connector === "@orgloop/connector-eventbridge")
    .map(({ id, config }) => eventBusOf(id, config.event_bus ?? "default"));
  return buses.length === 0 ? [] : [allow(["events:PutEvents"], ...new Set(buses))];
}

function eventBusOf(actor: string, bus: unknown): string {
  if (typeof bus === "string" && secretsOf(bus).length === 0) return eventBusArn(bus);
  throw new OrgLoopError(
    "CONFIG_INVALID",
    `actor "${actor}": event_bus is known only at run time, and its function is granted the one bus by name: write the name, or a variable of the workspace (vars)`,
  );
}

export const writeLogs = (logGroupArn: string): Statement =>
  allow(["logs:CreateLogStream", "logs:PutLogEvents"], `${logGroupArn}:*`);
