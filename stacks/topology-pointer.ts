import { Aws, CustomResource, Duration, Fn, type Stack } from "aws-cdk-lib";
import type { CfnFunction } from "aws-cdk-lib/aws-lambda";
import { CfnParameter } from "aws-cdk-lib/aws-ssm";
import { functionArn } from "./arns.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { jsonAsset, type SpecValue } from "./functions/spec-value.ts";
import { readAsset, useTable, writeObjects } from "./grants.ts";
import type { Stage } from "./stage.ts";

/**
 * The router's pointer: where the Topology lies. Whoever needs that takes it from this parameter,
 * so that in the templates another Topology changes nothing else.
 */
export function topologyPointer(stack: Stack, stage: Stage): SpecValue {
  const { names, topology, hash, draining, repeatWindows: repeat_windows } = stage;
  const document = JSON.stringify({ topology, hash, draining, repeat_windows });
  const { bucket, key } = jsonAsset(stack, "TopologyAsset", document);
  const pointer = new CfnParameter(stack, "Topology", {
    name: names.topologyParameter,
    type: "String",
    description: "Where the Topology lies by which the router routes",
    value: `s3://${bucket}/${key}`,
  });
  const object = Fn.select(1, Fn.split("://", pointer.attrValue));
  return { value: pointer.attrValue, objectArn: `arn:${Aws.PARTITION}:s3:::${object}` };
}

/**
 * Records what is applied, when the router has it: the Topology goes to the stage's bucket by its
 * hash, serial and hash to the table. `orgloop plan --workspace STAGE` compares with it, and the
 * next deploy knows by it which actors were removed.
 */
export function recordApplied(
  stack: Stack,
  stage: Stage,
  pointer: SpecValue,
  router: CfnFunction,
): void {
  const { names } = stage;
  const recorder = lambdaFunction(stack, "Recorder", stage, {
    kind: "record",
    name: names.recorder,
    description: "Records what was applied",
    packages: [],
    timeoutS: 90,
    memoryMb: 512,
    statements: [
      ...readAsset(pointer),
      useTable(stage, "record"),
      writeObjects(stage, "topologies"),
      writeObjects(stage, "stage"),
    ],
  });
  const record = new CustomResource(stack, "Applied", {
    serviceToken: functionArn(names.recorder),
    resourceType: "Custom::OrgLoopApplied",
    // A function that cannot answer fails the deploy then, and not after CloudFormation's hour.
    serviceTimeout: Duration.minutes(2),
    properties: { Topology: pointer.value },
  });
  record.node.addDependency(recorder, router);
}
