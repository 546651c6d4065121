import { Aws } from "aws-cdk-lib";

/** Names are predictable, so that stacks refer to each other by them and export nothing. */
const arn = (service: string, resource: string) =>
  `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;

export const queueArn = (name: string): string => arn("sqs", name);
export const functionArn = (name: string): string => arn("lambda", `function:${name}`);
export const tableArn = (name: string): string => arn("dynamodb", `table/${name}`);
export const logGroupArn = (name: string): string => arn("logs", `log-group:${name}`);
export const parameterArn = (name: string): string => arn("ssm", `parameter${name}`);
export const snsArn = (name: string): string => arn("sns", name);
export const scheduleGroupArn = (name: string): string =>
  arn("scheduler", `schedule-group/${name}`);
export const eventBusArn = (name: string): string =>
  name.startsWith("arn:") ? name : arn("events", `event-bus/${name}`);
export const objectArn = (bucket: string, key: string): string =>
  `arn:${Aws.PARTITION}:s3:::${bucket}/${key}`;

/**
 * The queue's address, as AWS documents its form; the functions send it to whatever endpoint they
 * are given.
 */
export const queueUrl = (name: string): string =>
  `https://sqs.${Aws.REGION}.${Aws.URL_SUFFIX}/${Aws.ACCOUNT_ID}/${name}`;
