import { OrgLoopError } from "@orgloop/sdk";
import { Aws, Stack } from "aws-cdk-lib";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnFunction } from "aws-cdk-lib/aws-lambda";
import { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { logGroupArn, queueUrl } from "../arns.ts";
import { bucketOf, readAsset, type Statement, useKey, writeLogs } from "../grants.ts";
import { logRetentionDays } from "../operate/retention.ts";
import type { FunctionKind, Stage } from "../stage.ts";
import { codeOf } from "./code-asset.ts";
import type { SpecValue } from "./spec-value.ts";

export interface LambdaFunction {
  readonly kind: FunctionKind;
  readonly name: string;
  readonly description: string;
  /** The packages that are bundled with it. */
  readonly packages: readonly string[];
  /** `ORGLOOP_SPEC`. */
  readonly spec?: SpecValue;
  readonly timeoutS: number;
  readonly memoryMb: number;
  readonly reservedConcurrency?: number;
  readonly statements: readonly Statement[];
}

const RUNTIME = "nodejs24.x";

/** A function with a role of its own, which can do what `statements` say and write its log. */
export function lambdaFunction(
  scope: Construct,
  id: string,
  stage: Stage,
  options: LambdaFunction,
): CfnFunction {
  const { names, topology } = stage;
  const { name, kind, packages, spec, reservedConcurrency } = options;
  const aws = topology.aws ?? {};
  // CloudFormation waits an hour for those that answer it, and from a VPC there may be no way to
  // it.
  const vpc = kind === "record" || kind === "empty" ? undefined : aws.vpc;
  const logs = new CfnLogGroup(scope, `${id}Logs`, {
    logGroupName: names.logGroup(name),
    retentionInDays: logRetentionDays(aws.log_retention),
    ...(aws.kms_key ? { kmsKeyId: aws.kms_key } : {}),
  });
  const Statement = [
    writeLogs(logGroupArn(names.logGroup(name))),
    ...options.statements,
    ...useKey(stage),
    ...(spec ? readAsset(spec) : []),
  ];
  refuseTooLong(name, Statement);
  const role = new CfnRole(scope, `${id}Role`, {
    assumeRolePolicyDocument: trust("lambda.amazonaws.com"),
    policies: [{ policyName: "use", policyDocument: { Version: "2012-10-17", Statement } }],
    ...(aws.permissions_boundary ? { permissionsBoundary: aws.permissions_boundary } : {}),
    ...(vpc ? { managedPolicyArns: [VPC_POLICY] } : {}),
  });
  const made = new CfnFunction(scope, id, {
    functionName: name,
    description: options.description.slice(0, 256),
    runtime: RUNTIME,
    architectures: ["arm64"],
    handler: "index.handler",
    code: codeOf(Stack.of(scope), stage.bundles(kind, packages)),
    role: role.attrArn,
    timeout: options.timeoutS,
    memorySize: options.memoryMb,
    ...(reservedConcurrency ? { reservedConcurrentExecutions: reservedConcurrency } : {}),
    environment: { variables: variablesOf(stage, spec) },
    ...(vpc
      ? {
          vpcConfig: {
            subnetIds: [...(vpc.subnets ?? [])],
            securityGroupIds: [...(vpc.security_groups ?? [])],
          },
        }
      : {}),
  });
  made.addDependency(logs);
  return made;
}

function variablesOf(stage: Stage, spec: SpecValue | undefined): Record<string, string> {
  const { names, topology } = stage;
  return {
    ORGLOOP_STAGE: stage.stage,
    ORGLOOP_PROJECT: topology.project,
    ORGLOOP_TABLE: names.table,
    ORGLOOP_BUCKET: bucketOf(stage),
    ORGLOOP_BUS_URL: queueUrl(names.bus),
    ORGLOOP_SECRET_PREFIX: stage.secretPrefix,
    ORGLOOP_LOG_LEVEL: topology.defaults.log_level,
    ...(spec ? { ORGLOOP_SPEC: spec.value } : {}),
  };
}

/**
 * Characters of a role's inline policies (AWS, IAM and STS quotas), less the document around the
 * statements.
 */
const POLICY_CHARACTERS = 10_240 - 100;
/**
 * Account, region and partition are known when it is deployed: 12 characters each, as in an
 * account's id.
 */
const TOKEN = /\$\{Token\[[^\]]*\]\}/g;

function refuseTooLong(name: string, statements: readonly Statement[]): void {
  const { length } = JSON.stringify(statements).replaceAll(TOKEN, "0".repeat(12));
  if (length <= POLICY_CHARACTERS) return;
  throw new OrgLoopError(
    "CONFIG_INVALID",
    `function ${name} uses so many secrets that its role cannot name them all (${length} characters, IAM takes 10240): let fewer sources or actors share it, with pollers: per_source or deliverers: per_actor under aws, or more teams`,
  );
}

/**
 * The network interfaces of a function in a VPC: AWS's own policy, since they have no names to
 * grant.
 */
const VPC_POLICY = `arn:${Aws.PARTITION}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole`;

/** Who may take a role. */
export function trust(Service: string, Condition?: object): object {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service },
        Action: "sts:AssumeRole",
        ...(Condition ? { Condition } : {}),
      },
    ],
  };
}
