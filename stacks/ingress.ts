import { ingressOf } from "@orgloop/aws/plan";
import { type SourceSpec, withoutSchemas } from "@orgloop/sdk";
import { Aws, CfnOutput, type Stack } from "aws-cdk-lib";
import { CfnApi, CfnIntegration, CfnRoute, CfnStage } from "aws-cdk-lib/aws-apigatewayv2";
import { type CfnFunction, CfnPermission, CfnUrl } from "aws-cdk-lib/aws-lambda";
import { keyedOf } from "./bus-groupings.ts";
import { receiverPackages } from "./functions/function-packages.ts";
import { lambdaFunction } from "./functions/lambda-function.ts";
import { specValue } from "./functions/spec-value.ts";
import { readSecrets, sendToBus, useTable, writeObjects } from "./grants.ts";
import type { Stage } from "./stage.ts";

const TIMEOUT_S = 29;

/**
 * The way in for webhooks, the one public resource: it verifies signatures before anything else.
 * Null where nothing comes in.
 */
export function ingress(stage: Stage, received: readonly SourceSpec[]): Stack | null {
  const { names, topology } = stage;
  const { kind: form, concurrency } = ingressOf(topology.aws);
  if (form === "none" || received.length === 0) return null;
  const stack = stage.stack("ingress", "OrgLoop: webhooks");
  const receiver = lambdaFunction(stack, "Receiver", stage, {
    kind: "receive",
    name: names.receiver,
    description: `Receives the webhooks of ${topology.project}`,
    packages: receiverPackages(received),
    spec: specValue(stack, "ReceiverSpec", {
      project: topology.project,
      sources: received,
      keyed: keyedOf(stage, received),
      ...(topology.network ? { network: topology.network } : {}),
    }),
    timeoutS: TIMEOUT_S,
    memoryMb: 512,
    reservedConcurrency: concurrency,
    statements: [
      sendToBus(stage),
      useTable(stage, "receive"),
      writeObjects(stage, "claims"),
      ...readSecrets(stage, received.map(withoutSchemas)),
    ],
  });
  const url =
    form === "api_gateway" ? httpApi(stack, stage, receiver) : functionUrl(stack, receiver);
  new CfnOutput(stack, "WebhookUrl", { value: url });
  return stack;
}

/**
 * Both permissions, without which a URL made since October 2025 answers 403 (AWS, Control access to
 * Lambda function URLs).
 */
function functionUrl(stack: Stack, receiver: CfnFunction): string {
  const url = new CfnUrl(stack, "Url", {
    authType: "NONE",
    targetFunctionArn: receiver.attrArn,
    invokeMode: "BUFFERED",
  });
  new CfnPermission(stack, "InvokeUrl", {
    action: "lambda:InvokeFunctionUrl",
    principal: "*",
    functionName: receiver.attrArn,
    functionUrlAuthType: "NONE",
  });
  new CfnPermission(stack, "InvokeViaUrl", {
    action: "lambda:InvokeFunction",
    principal: "*",
    functionName: receiver.attrArn,
    invokedViaFunctionUrl: true,
  });
  return url.attrFunctionUrl;
}

/** An HTTP API that hands every request on, in the payload form of function URLs. */
function httpApi(stack: Stack, { names }: Stage, receiver: CfnFunction): string {
  const api = new CfnApi(stack, "Api", { name: names.api, protocolType: "HTTP" });
  const integration = new CfnIntegration(stack, "Integration", {
    apiId: api.ref,
    integrationType: "AWS_PROXY",
    integrationUri: receiver.attrArn,
    payloadFormatVersion: "2.0",
    timeoutInMillis: TIMEOUT_S * 1000,
  });
  new CfnRoute(stack, "Route", {
    apiId: api.ref,
    routeKey: "POST /webhook/{source+}",
    target: `integrations/${integration.ref}`,
  });
  new CfnStage(stack, "Stage", { apiId: api.ref, stageName: "$default", autoDeploy: true });
  new CfnPermission(stack, "InvokeApi", {
    action: "lambda:InvokeFunction",
    principal: "apigateway.amazonaws.com",
    functionName: receiver.attrArn,
    sourceArn: `arn:${Aws.PARTITION}:execute-api:${Aws.REGION}:${Aws.ACCOUNT_ID}:${api.ref}/*/POST/webhook/*`,
  });
  return api.attrApiEndpoint;
}
