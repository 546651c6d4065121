import { Metrics } from "@aws-lambda-powertools/metrics";
import { type Clock, knownSecrets, type MaskSecrets, wallClock } from "@orgloop/engine";
import {
  type DefaultsSpec,
  messageOf,
  type NetworkSpec,
  parseJson,
  type Topology,
} from "@orgloop/sdk";
import { awsNames } from "../plan/aws-names.ts";
import { METRIC_NAMESPACE } from "../plan/metric-names.ts";
import { type ObjectStore, objectStore } from "../queue/message-body.ts";
import { queueUrlBeside } from "../queue/queue-url.ts";
import { type SqsSender, sqsSender } from "../queue/sqs-sender.ts";
import { dynamoClaims } from "../state/claims.ts";
import type { StateTable } from "../state/state-table.ts";
import { type AwsClients, awsClients, parameterReader } from "./aws-clients.ts";
import { embeddedMetrics, type FlowLog, jsonFlowLog } from "./flow-log.ts";
import { type FunctionEnvironment, functionEnvironment } from "./function-environment.ts";
import type { PluginPorts } from "./open-items.ts";
import { type Secrets, secrets } from "./secrets.ts";
import { surviveRejections } from "./survive-rejections.ts";

/** A bundle's plugins, by the names of their packages. */
export type BundledPlugins = PluginPorts["plugins"];

/** What every function has, made once a cold start. */
export interface FunctionTools<Spec> extends PluginPorts {
  readonly environment: FunctionEnvironment;
  readonly spec: Spec;
  readonly aws: AwsClients;
  readonly objects: ObjectStore;
  readonly sender: SqsSender;
  /** The address of an actor's queue. */
  readonly queueUrlOf: (actor: string) => string;
  readonly state: StateTable;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly flow: FlowLog & { flush(): void };
}

export interface FunctionOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plugins: BundledPlugins;
  /** Absolute: where files of the project lie beside the code. */
  readonly projectDir: string;
  readonly clock?: Clock;
  /** Takes a line of the log; default: standard output, which is the function's log. */
  readonly write?: (line: string) => void;
}

/** Opens what the environment names. Rejects where it is incomplete, or the spec cannot be read. */
export async function functionTools<Spec extends object>({
  env,
  plugins,
  projectDir,
  clock = wallClock,
  write = (line) => process.stdout.write(`${line}\n`),
}: FunctionOptions): Promise<FunctionTools<Spec>> {
  const environment = functionEnvironment(env);
  const { stage, project, table, bucket, secretPrefix } = environment;
  const aws = awsClients();
  const inBucket = (name: string) => objectStore({ s3: aws.s3, bucket: name });
  const spec = (await readSpec(environment.spec, inBucket)) as Spec;
  const { now } = clock;
  const known = knownSecrets();
  const flow = jsonFlowLog({
    stage,
    project,
    now,
    level: (env.ORGLOOP_LOG_LEVEL as DefaultsSpec["log_level"] | undefined) ?? "info",
    write,
    mask: known.mask,
    metrics: embeddedMetrics(new Metrics({ namespace: METRIC_NAMESPACE }), stage),
  });
  if (env.AWS_LAMBDA_RUNTIME_API !== undefined) {
    surviveRejections(flow);
    maskUncaught(known.mask);
  }
  const state = { client: aws.dynamo, table };
  return {
    environment,
    spec,
    aws,
    clock,
    plugins,
    projectDir,
    known,
    allowPrivate: reachOf(spec),
    state,
    claims: dynamoClaims(state),
    objects: inBucket(bucket),
    sender: sqsSender({ sqs: aws.sqs }),
    queueUrlOf: actorQueueUrls(environment),
    secrets: secrets({ prefix: secretPrefix, read: parameterReader(), now, known }),
    flow,
  };
}

/** Made once for each actor: names take hashes. */
function actorQueueUrls({ busUrl, stage }: FunctionEnvironment): (actor: string) => string {
  const names = awsNames(stage);
  const urls = new Map<string, string>();
  return (actor) => {
    let url = urls.get(actor);
    if (url === undefined) {
      url = queueUrlBeside(busUrl, names.actorQueue(actor));
      urls.set(actor, url);
    }
    return url;
  };
}

/** Of its own spec, or of the Topology that a router's spec holds. */
function reachOf(spec: object): readonly string[] {
  const { network, topology } = spec as { network?: NetworkSpec; topology?: Topology };
  return (network ?? topology?.network)?.allow_private ?? [];
}

async function readSpec(text: string, inBucket: (bucket: string) => ObjectStore): Promise<unknown> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(text) ?? [];
  if (bucket === undefined || key === undefined) return parseJson(text);
  return parseJson(await inBucket(bucket).get(key));
}

/**
 * Runs an invocation. Lambda prints what it throws, with its stack, its cause and whatever else it
 * holds: so only that goes out which can be written without secrets.
 */
export async function runMasked<Result>(
  {
    known,
    flow,
  }: {
    readonly known: { readonly mask: MaskSecrets };
    readonly flow: { flush(): void };
  },
  invocation: () => Promise<Result>,
): Promise<Result> {
  try {
    return await invocation();
  } catch (error) {
    throw printable(error, known.mask);
  } finally {
    flow.flush();
  }
}

/**
 * An error that holds a masked message and stack, the name and the code of what was thrown, and no
 * more.
 */
function printable(thrown: unknown, mask: MaskSecrets): Error {
  const error = new Error(mask(messageOf(thrown)));
  const { name, stack, code } = Object(thrown) as Partial<NodeJS.ErrnoException>;
  if (typeof name === "string") error.name = mask(name);
  if (typeof stack === "string") error.stack = mask(stack);
  return typeof code === "string" ? Object.assign(error, { code: mask(code) }) : error;
}

/**
 * Lambda's own listeners of uncaught exceptions, which print them and end the function, get them
 * without secrets.
 */
export function maskUncaught(mask: MaskSecrets): void {
  const event = "uncaughtException";
  const listeners = process.listeners(event);
  if (listeners.length === 0) return;
  process.removeAllListeners(event);
  for (const listener of listeners) {
    process.on(event, (error, origin) => listener.call(process, printable(error, mask), origin));
  }
}
