import { expect, test } from "vitest";
import { alarmLaws } from "./alarms/alarm-laws.ts";
import type { Resource } from "./resolved.ts";
import { ACCOUNT, REGION, STAGE, type Synthesized } from "./synthesize.ts";

const PREFIX = `orgloop-${STAGE}-`;
const LAMBDA = "AWS::Lambda::Function";
const QUEUE = "AWS::SQS::Queue";
const MAPPING = "AWS::Lambda::EventSourceMapping";

/**
 * Values of the variables that the organisations refer to: none may be in anything that is
 * deployed.
 */
export const SECRETS = Object.fromEntries(
  ["HUB_SECRET", "AGENT_SECRET", "GITHUB_TOKEN", "REVIEW_TONE"].map((name) => [
    name,
    `${name}-value-4711`,
  ]),
);

/** Characters of all inline policies of a role, white space aside (AWS, IAM and STS quotas). */
const POLICY_CHARACTERS = 10_240;

interface InlinePolicy {
  readonly PolicyDocument: {
    readonly Statement: readonly { readonly Action: unknown; readonly Resource: unknown }[];
  };
}

const nameIn = (arn: string) => arn.slice(arn.lastIndexOf(":") + 1);

const byName = (resources: readonly Resource[], property: string) =>
  new Map(resources.map((one) => [String(one.Properties[property]), one.Properties]));

const listOf = (value: unknown): readonly string[] => [value].flat().map(String);

/** Every statement of every role, with the role's resource. */
export function statements(made: Synthesized) {
  return made
    .ofType("AWS::IAM::Role")
    .flatMap(({ Properties }) => (Properties.Policies ?? []) as InlinePolicy[])
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .map(({ Action, Resource }) => ({ actions: listOf(Action), resources: listOf(Resource) }));
}

/**
 * What every stage keeps, at whatever size. AWS refuses some of it only when it is deployed,
 * emulators never.
 */
export function stackLaws(made: () => Synthesized): void {
  test("no stack has more than 480 resources, and none is empty", () => {
    const sizes = [...made().stacks].map(([name, it]) => [name, Object.keys(it.resources).length]);
    expect(sizes.filter(([, size]) => Number(size) > 480 || size === 0)).toEqual([]);
  });

  test("names are unique, and within AWS's limits", () => {
    const names = [
      ...[...byName(made().ofType(LAMBDA), "FunctionName").keys()].map((it) => [it, 64] as const),
      ...[...byName(made().ofType(QUEUE), "QueueName").keys()].map((it) => [it, 80] as const),
      ...[...byName(made().ofType("AWS::Scheduler::Schedule"), "Name").keys()].map(
        (it) => [it, 64] as const,
      ),
    ];
    const counted = [LAMBDA, QUEUE, "AWS::Scheduler::Schedule"].map(
      (it) => made().ofType(it).length,
    );
    expect(names.length).toBe(counted.reduce((sum, count) => sum + count));
    expect(names.filter(([name, limit]) => name.length > limit)).toEqual([]);
    expect(names.filter(([name]) => !name.startsWith(PREFIX))).toEqual([]);
  });

  test("grants name what they grant; a wildcard stands only behind the stage's prefix", () => {
    const all = statements(made());
    const wide = all.filter(
      ({ actions, resources }) =>
        actions.some((it) => it.includes("*")) ||
        resources.some((it) => it.includes("*") && !it.slice(0, it.indexOf("*")).includes(PREFIX)),
    );
    expect(all.length).toBeGreaterThan(0);
    expect(wide).toEqual([]);
    const managed = made()
      .ofType("AWS::IAM::Role")
      .flatMap((role) => role.Properties.ManagedPolicyArns ?? []);
    expect(managed).toEqual([]);
  });

  test("what a role may do fits into its policies", () => {
    const long = made()
      .ofType("AWS::IAM::Role")
      .map(({ Properties }) =>
        (Properties.Policies as InlinePolicy[])
          .map(({ PolicyDocument }) => JSON.stringify(PolicyDocument).replaceAll(/\s/g, "").length)
          .reduce((sum, length) => sum + length, 0),
      )
      .filter((length) => length > POLICY_CHARACTERS);
    expect(long).toEqual([]);
  });

  test("no secret's value is in anything that is deployed", () => {
    const found = [...made().files()].filter(([, text]) => text.includes("value-4711"));
    expect(found.map(([file]) => file)).toEqual([]);
  });

  test("the function URL is open to webhooks and has both permissions; nothing else is open", () => {
    const urls = made().ofType("AWS::Lambda::Url");
    expect(urls.map(({ Properties }) => Properties.AuthType)).toEqual(["NONE"]);
    const open = made()
      .ofType("AWS::Lambda::Permission")
      .map(({ Properties }) => Properties);
    expect(open).toEqual([
      expect.objectContaining({
        Action: "lambda:InvokeFunctionUrl",
        FunctionUrlAuthType: "NONE",
        Principal: "*",
      }),
      expect.objectContaining({
        Action: "lambda:InvokeFunction",
        InvokedViaFunctionUrl: true,
        Principal: "*",
      }),
    ]);
    for (const { FunctionName } of open) expect(nameIn(FunctionName)).toBe(`${PREFIX}receive`);
    const policies = made().ofType("AWS::S3::BucketPolicy");
    for (const { Properties } of policies) {
      for (const { Effect } of Properties.PolicyDocument.Statement) expect(Effect).toBe("Deny");
    }
    expect(made().ofType("AWS::SQS::QueuePolicy")).toEqual([]);
  });

  test("a role is taken by its service alone; schedules of another group cannot take that of the schedules", () => {
    for (const { Properties } of made().ofType("AWS::IAM::Role")) {
      const [{ Principal, Condition }, ...more] = Properties.AssumeRolePolicyDocument.Statement;
      expect(more).toEqual([]);
      if (Principal.Service === "lambda.amazonaws.com") continue;
      expect(Principal).toEqual({ Service: "scheduler.amazonaws.com" });
      expect(Condition).toEqual({
        StringEquals: {
          "aws:SourceAccount": ACCOUNT,
          "aws:SourceArn": `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/${PREFIX}sources`,
        },
      });
    }
  });

  test("a queue hides a message for at least six times the timeout of its function", () => {
    const queues = byName(made().ofType(QUEUE), "QueueName");
    const functions = byName(made().ofType(LAMBDA), "FunctionName");
    const short = made()
      .ofType(MAPPING)
      .map(({ Properties }) => ({
        visibility: queues.get(nameIn(Properties.EventSourceArn))?.VisibilityTimeout,
        timeout: functions.get(nameIn(Properties.FunctionName))?.Timeout,
      }))
      .filter(({ visibility, timeout }) => !(visibility >= 6 * timeout) || visibility > 43_200);
    expect(short).toEqual([]);
  });

  test("what a mapping or a schedule points at exists", () => {
    const functions = byName(made().ofType(LAMBDA), "FunctionName");
    const queues = byName(made().ofType(QUEUE), "QueueName");
    const groups = byName(made().ofType("AWS::Scheduler::ScheduleGroup"), "Name");
    const mappings = made().ofType(MAPPING);
    const schedules = made().ofType("AWS::Scheduler::Schedule");
    const missing = [
      ...mappings.map(({ Properties }) => functions.has(nameIn(Properties.FunctionName))),
      ...mappings.map(({ Properties }) => queues.has(nameIn(Properties.EventSourceArn))),
      ...schedules.map(({ Properties }) => functions.has(nameIn(Properties.Target.Arn))),
      ...schedules.map(({ Properties }) => groups.has(Properties.GroupName)),
    ].filter((there) => !there);
    expect(missing).toEqual([]);
    expect(mappings.length).toBeGreaterThan(0);
  });

  test("every queue is encrypted, kept for 14 days, and has a dead-letter queue of its kind", () => {
    const queues = byName(made().ofType(QUEUE), "QueueName");
    for (const [name, queue] of queues) {
      expect(queue.MessageRetentionPeriod).toBe(1_209_600);
      expect(queue.SqsManagedSseEnabled === true || queue.KmsMasterKeyId !== undefined).toBe(true);
      if (/-dlq(\.fifo)?$/.test(name)) continue;
      const { deadLetterTargetArn, maxReceiveCount } = queue.RedrivePolicy;
      expect(maxReceiveCount).toBe(1000);
      const dlq = nameIn(deadLetterTargetArn);
      expect(dlq).toBe(name.replace(/(\.fifo)?$/, "-dlq$1"));
      expect(queues.get(dlq)?.FifoQueue).toBe(queue.FifoQueue);
    }
  });

  test("every queue is FIFO in high-throughput mode but the history's", () => {
    const queues = byName(made().ofType(QUEUE), "QueueName");
    const standard = [...queues.keys()].filter((name) => !name.endsWith(".fifo"));
    expect(standard.toSorted()).toEqual([`${PREFIX}history`, `${PREFIX}history-dlq`]);
    for (const [name, queue] of queues) {
      if (standard.includes(name)) continue;
      expect(queue).toMatchObject({
        FifoQueue: true,
        DeduplicationScope: "messageGroup",
        FifoThroughputLimit: "perMessageGroupId",
        ContentBasedDeduplication: false,
      });
    }
  });

  test("functions run on Node 24, with a role, a log that ends and an environment within 4 KB", () => {
    const logs = byName(made().ofType("AWS::Logs::LogGroup"), "LogGroupName");
    for (const [name, { Runtime, Environment, Role }] of byName(
      made().ofType(LAMBDA),
      "FunctionName",
    )) {
      expect(Number(/^nodejs(\d+)\.x$/.exec(Runtime)?.[1])).toBe(24);
      expect(Role).toMatch(/Role\.Arn$/);
      expect(logs.get(`/aws/lambda/${name}`)?.RetentionInDays).toBeGreaterThan(0);
      expect(JSON.stringify(Environment.Variables).length).toBeLessThan(4096);
    }
  });

  test("batches are answered message by message, and concurrency is bounded", () => {
    for (const { Properties } of made().ofType(MAPPING)) {
      if (nameIn(Properties.EventSourceArn) === `${PREFIX}history`) {
        expect(Properties).toMatchObject({ BatchSize: 10_000, MaximumBatchingWindowInSeconds: 60 });
      } else {
        expect(Properties.FunctionResponseTypes).toEqual(["ReportBatchItemFailures"]);
        expect(Properties.BatchSize).toBeLessThanOrEqual(10);
      }
      const { MaximumConcurrency } = Properties.ScalingConfig;
      expect(MaximumConcurrency).toBeGreaterThanOrEqual(2);
      expect(MaximumConcurrency).toBeLessThanOrEqual(1000);
    }
  });

  test("a tick is not repeated, comes within a window, and calls are not repeated either", () => {
    for (const { Properties } of made().ofType("AWS::Scheduler::Schedule")) {
      expect(Properties.Target.RetryPolicy.MaximumRetryAttempts).toBe(0);
      expect(Properties.ScheduleExpression).toMatch(
        /^rate\((1 minute|([2-9]|[1-9]\d+) minutes)\)$/,
      );
      expect(Properties.FlexibleTimeWindow.Mode).toBe("FLEXIBLE");
      expect(Properties.FlexibleTimeWindow.MaximumWindowInMinutes).toBeGreaterThanOrEqual(1);
    }
    const called = made()
      .ofType(LAMBDA)
      .map(({ Properties }) => Properties.FunctionName)
      .filter((name) => name.startsWith(`${PREFIX}poll-`) || name === `${PREFIX}sweep`);
    const invokes = byName(made().ofType("AWS::Lambda::EventInvokeConfig"), "FunctionName");
    expect(new Set(invokes.keys())).toEqual(new Set(called));
    for (const invoke of invokes.values()) expect(invoke.MaximumRetryAttempts).toBe(0);
  });

  test("the table expires what has a ttl and can be brought back to any second", () => {
    const [table, ...more] = made().ofType("AWS::DynamoDB::Table");
    expect(more).toEqual([]);
    expect(table?.Properties).toMatchObject({
      TableName: `${PREFIX}state`,
      BillingMode: "PAY_PER_REQUEST",
      TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    const { AttributeDefinitions, KeySchema } = table?.Properties ?? {};
    const defined = AttributeDefinitions.map((it: { AttributeName: string }) => it.AttributeName);
    expect(KeySchema.map((it: { AttributeName: string }) => it.AttributeName)).toEqual(defined);
  });

  test("the bucket is closed, encrypted, and forgets history and claim checks in time", () => {
    const [bucket, ...more] = made().ofType("AWS::S3::Bucket");
    expect(more).toEqual([]);
    expect(bucket?.Properties.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(bucket?.Properties.BucketEncryption).toBeDefined();
    const rules: { Prefix?: string; ExpirationInDays?: number }[] =
      bucket?.Properties.LifecycleConfiguration.Rules;
    const days = Object.fromEntries(rules.map((rule) => [rule.Prefix, rule.ExpirationInDays]));
    // 14 days on the bus, 14 in an actor's queue, 90 as a dead letter.
    expect(days["claims/"]).toBeGreaterThanOrEqual(14 + 14 + 90);
    expect(days["events/"]).toBeGreaterThanOrEqual(1);
  });

  test("stacks are deployed in the order in which nothing is lost", () => {
    const rank = (name: string) =>
      [
        ...["storage", "deliverers", "actors", "routing", "pollers", "sources"],
        ...["alarms", "observability", "alerts"],
      ].indexOf(
        name.replace(/-\d+$/, "").replace("ingress", "sources").replace("schedules", "pollers"),
      );
    for (const [name, { after }] of made().stacks) {
      expect(rank(name)).toBeGreaterThanOrEqual(0);
      if (name !== "storage") expect(after.length).toBeGreaterThan(0);
      for (const before of after) expect(rank(before)).toBeLessThan(rank(name));
    }
    const firstActors = [...made().stacks].filter(([name]) => name.startsWith("actors-"));
    const routing = made().stacks.get("routing");
    expect(routing?.after).toEqual(expect.arrayContaining(firstActors.map(([name]) => name)));
  });

  alarmLaws(made);

  test("no stack imports from another: a shard can change alone", () => {
    const text = JSON.stringify([...made().stacks]);
    expect(text).not.toContain("Fn::ImportValue");
    expect(text).not.toContain('"Export"');
  });
}
