import { Metrics } from "@aws-lambda-powertools/metrics";
import { type Clock, knownSecrets, wallClock } from "@orgloop/engine";
import { type DefaultsSpec, type NetworkSpec, parseJson, type Topology } from "@orgloop/sdk";
import { METRIC_NAMESPACE } from "../plan/metric-names.ts";
import { type ObjectStore, objectStore } from "../queue/object-store.ts";
import { type SqsSender, sqsSender } from "../queue/sqs-sender.ts";
import { dynamoClaims } from "../state/claims.ts";
import type { StateTable } from "../state/state-table.ts";
import { type AwsClients, awsClients, parameterReader } from "./aws-clients.ts";
import { embeddedMetrics } from "./embedded-metrics.ts";
import { type FlowLog, jsonFlowLog } from "./flow-log.ts";
import { type FunctionEnvironment, functionEnvironment } from "./function-environment.ts";
import type { PluginHost } from "./open-items.ts";
import { maskUncaught } from "./run-masked.ts";
import { type Secrets, secrets } from "./secrets.ts";
import { surviveRejections } from "./survive-rejections.ts";

/** A bundle's plugins, by the names of their packages. */
export type BundledPlugins = PluginHost["plugins"];

/** What every function has, made once a cold start. */
export interface FunctionTools<Spec> extends PluginHost {
  readonly environment: FunctionEnvironment;
  readonly spec: Spec;
  readonly aws: AwsClients;
  readonly objects: ObjectStore;
  readonly sender: SqsSender;
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
    secrets: secrets({ prefix: secretPrefix, read: parameterReader(), now, known }),
    flow,
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
