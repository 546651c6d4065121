import { CustomResource, Duration, type Stack } from "aws-cdk-lib";
import { functionArn } from "./arns.ts";
import { readObject, useTable, writeObjects } from "./grants.ts";
import { lambdaFunction } from "./lambda-function.ts";
import { jsonAsset } from "./spec-value.ts";
import type { Stage } from "./stage.ts";

/**
 * Records what was applied, when everything else is deployed: the Topology goes to the bucket by its hash, serial and hash to the table.
 * `orgloop plan --workspace STAGE` compares with it, and the next deploy knows by it which actors were removed.
 */
export function applied(stage: Stage): Stack {
  const { names, topology, hash, draining } = stage;
  const stack = stage.stack("applied", "OrgLoop: what was applied");
  const { bucket, key } = jsonAsset(
    stack,
    "Topology",
    JSON.stringify({ topology, hash, draining }),
  );
  const recorder = lambdaFunction(stack, "Recorder", stage, {
    kind: "record",
    name: names.recorder,
    description: "Records what was applied",
    packages: [],
    timeoutS: 60,
    memoryMb: 512,
    statements: [
      readObject(bucket, key),
      useTable(stage),
      writeObjects(stage, "topologies"),
      writeObjects(stage, "stage"),
    ],
  });
  const record = new CustomResource(stack, "Applied", {
    serviceToken: functionArn(names.recorder),
    resourceType: "Custom::OrgLoopApplied",
    // A function that cannot answer fails the deploy then, and not after CloudFormation's hour.
    serviceTimeout: Duration.minutes(2),
    properties: { Hash: hash, Bucket: bucket, Key: key },
  });
  record.node.addDependency(recorder);
  return stack;
}
