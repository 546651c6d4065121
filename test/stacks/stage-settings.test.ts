import { expect, test } from "vitest";
import { statements } from "./laws.ts";
import { smallFiles } from "./organisations.ts";
import { loadTopology, type Synthesized, synthesize } from "./synthesize.ts";

const stageWith = async (aws: string) =>
  synthesize(await loadTopology(smallFiles(`aws:\n${aws.replace(/^/gm, "  ")}\n`)));

const names = (made: Synthesized, kind: string) =>
  made
    .ofType("AWS::Lambda::Function")
    .map(({ Properties }) => String(Properties.FunctionName))
    .filter((name) => name.startsWith(`orgloop-production-${kind}`));

test("everything that can have tags has the workspace's", async () => {
  const made = await stageWith("tags: { cost-center: engineering }");
  for (const type of ["AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::DynamoDB::Table"]) {
    for (const { Properties } of made.ofType(type)) {
      expect(Properties.Tags).toContainEqual({ Key: "cost-center", Value: "engineering" });
    }
  }
});

test("every role has the permissions boundary", async () => {
  const boundary = "arn:aws:iam::123456789012:policy/boundary";
  const made = await stageWith(`permissions_boundary: ${boundary}`);
  const roles = made.ofType("AWS::IAM::Role");
  expect(roles.length).toBeGreaterThan(5);
  for (const { Properties } of roles) expect(Properties.PermissionsBoundary).toBe(boundary);
});

test("every function is in the VPC, but for those that answer CloudFormation", async () => {
  const made = await stageWith("vpc: { subnets: [subnet-1], security_groups: [sg-1] }");
  for (const { Properties } of made.ofType("AWS::Lambda::Function")) {
    const answers = /-(record|empty)$/.test(Properties.FunctionName);
    const vpc = { SubnetIds: ["subnet-1"], SecurityGroupIds: ["sg-1"] };
    expect(Properties.VpcConfig).toEqual(answers ? undefined : vpc);
  }
});

test("the customer's key encrypts table, bucket and queues, and every function may use it and no other", async () => {
  const key = "arn:aws:kms:eu-west-1:123456789012:key/1234";
  const made = await stageWith(`kms_key: ${key}`);
  for (const { Properties } of made.ofType("AWS::SQS::Queue")) {
    expect(Properties.KmsMasterKeyId).toBe(key);
  }
  const [table] = made.ofType("AWS::DynamoDB::Table");
  expect(table?.Properties.SSESpecification).toMatchObject({ SSEType: "KMS", KMSMasterKeyId: key });
  for (const { Properties } of made.ofType("AWS::Logs::LogGroup")) {
    expect(Properties.KmsKeyId).toBe(key);
  }
  const [bucket] = made.ofType("AWS::S3::Bucket");
  expect(JSON.stringify(bucket?.Properties.BucketEncryption)).toContain(key);
  const uses = statements(made).filter(({ actions }) => actions.includes("kms:Decrypt"));
  expect(uses.length).toBe(made.ofType("AWS::Lambda::Function").length);
  for (const { resources } of uses) expect(resources).toEqual([key]);
});

test("logs are kept at least as long as asked", async () => {
  const made = await stageWith("log_retention: 45d");
  for (const { Properties } of made.ofType("AWS::Logs::LogGroup")) {
    expect(Properties.RetentionInDays).toBe(60);
  }
});

test("pollers: a function a source, or one a connector and team", async () => {
  expect(names(await stageWith("pollers: per_source"), "poll").length).toBe(2);
  const shared = await stageWith("pollers: per_connector");
  expect(names(shared, "poll").map((it) => it.slice(0, -9))).toEqual([
    "orgloop-production-poll-github",
    "orgloop-production-poll-cron",
  ]);
});

test("deliverers: actors of a connector share a function, each with its own queue", async () => {
  const made = await stageWith("deliverers: per_connector");
  expect(names(made, "deliver").length).toBe(1);
  const mappings = made.ofType("AWS::Lambda::EventSourceMapping");
  expect(mappings.length).toBe(2 + 3);
  const after = [...made.stacks].filter(([name]) => name.startsWith("actors-"));
  for (const [, { after: before }] of after) expect(before).toContain("deliverers");
});

test("a function with more secrets than its role can name is refused before a deploy", async () => {
  const sources = Array.from({ length: 150 }, (_, at) => ({
    id: `repo-${at}`,
    connector: "@orgloop/connector-github",
    config: { repo: "acme/api", token: `\${GITHUB_TOKEN_OF_REPOSITORY_${at}}` },
  }));
  const topology = await loadTopology(smallFiles());
  const grown = { ...topology, sources: [...topology.sources, ...sources] };
  expect(() => synthesize(grown)).toThrow(/poll-github-\w+ uses so many secrets .*per_source/);
  expect(synthesize({ ...grown, aws: { pollers: "per_source" } }).stacks.size).toBeGreaterThan(0);
});

test("the receiver takes as many requests at a time as aws.ingress says", async () => {
  const made = await stageWith("ingress: { kind: api_gateway, concurrency: 120 }");
  const receiver = made
    .ofType("AWS::Lambda::Function")
    .find(({ Properties }) => Properties.FunctionName.endsWith("-receive"));
  expect(receiver?.Properties.ReservedConcurrentExecutions).toBe(120);
  expect(made.ofType("AWS::ApiGatewayV2::Api").length).toBe(1);
});

test("ingress: none has nothing public, api_gateway an HTTP API that alone may call the receiver", async () => {
  const closed = await stageWith("ingress: none");
  expect(closed.ofType("AWS::Lambda::Permission")).toEqual([]);
  expect(closed.ofType("AWS::Lambda::Url")).toEqual([]);
  expect(names(closed, "receive")).toEqual([]);
  const api = await stageWith("ingress: api_gateway");
  expect(api.ofType("AWS::Lambda::Url")).toEqual([]);
  expect(api.ofType("AWS::ApiGatewayV2::Api").length).toBe(1);
  const [permission, ...more] = api.ofType("AWS::Lambda::Permission");
  expect(more).toEqual([]);
  expect(permission?.Properties).toMatchObject({
    Principal: "apigateway.amazonaws.com",
    SourceArn: expect.stringMatching(
      /^arn:aws:execute-api:eu-west-1:123456789012:.+\/POST\/webhook\/\*$/,
    ),
  });
});

test("a stage that is kept keeps its state when it is removed; another's bucket is emptied first", async () => {
  const topology = await loadTopology(smallFiles());
  const policies = (made: Synthesized) =>
    [...made.ofType("AWS::DynamoDB::Table"), ...made.ofType("AWS::S3::Bucket")].map(
      ({ DeletionPolicy }) => DeletionPolicy,
    );
  const kept = synthesize(topology, { retain: true });
  const isProtected = (made: Synthesized) =>
    made.ofType("AWS::DynamoDB::Table").map((it) => it.Properties.DeletionProtectionEnabled);
  expect([isProtected(kept), isProtected(synthesize(topology))]).toEqual([[true], [false]]);
  expect(policies(kept)).toEqual(["RetainExceptOnCreate", "RetainExceptOnCreate"]);
  expect(kept.ofType("Custom::OrgLoopBucketContents")).toEqual([]);
  const gone = synthesize(topology);
  expect(policies(gone)).toEqual(["Delete", "Delete"]);
  expect(gone.ofType("Custom::OrgLoopBucketContents").length).toBe(1);
});

test("the dashboard shows what the alarms watch", async () => {
  const made = await stageWith("pollers: per_source");
  const [dashboard] = made.ofType("AWS::CloudWatch::Dashboard");
  const { widgets } = JSON.parse(dashboard?.Properties.DashboardBody);
  expect(widgets.length).toBeGreaterThan(6);
});

const reported = (made: Synthesized) =>
  ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"]
    .flatMap((type) => made.ofType(type))
    .flatMap(({ Properties }) => (Properties.AlarmActions as string[] | undefined) ?? []);

test("alarms: a topic that is there is told, or one is made for addresses; without, nobody is", async () => {
  const topic = "arn:aws:sns:eu-west-1:123456789012:pager";
  const paged = await stageWith(`alarms: { topic_arn: "${topic}" }`);
  expect(new Set(reported(paged))).toEqual(new Set([topic]));
  expect(paged.ofType("AWS::SNS::Topic")).toEqual([]);
  const mailed = await stageWith("alarms: { emails: [night@acme.test, day@acme.test] }");
  const made = "arn:aws:sns:eu-west-1:123456789012:orgloop-production-alarms";
  expect(new Set(reported(mailed))).toEqual(new Set([made]));
  const [{ Properties } = { Properties: null }, ...more] = mailed.ofType("AWS::SNS::Topic");
  expect([Properties.TopicName, more]).toEqual(["orgloop-production-alarms", []]);
  const addresses = mailed.ofType("AWS::SNS::Subscription").map((one) => one.Properties.Endpoint);
  expect(addresses).toEqual(["night@acme.test", "day@acme.test"]);
  expect(reported(await stageWith("pollers: per_source"))).toEqual([]);
});

test("where the endpoint is an emulator, each metric has an alarm that tells of itself", async () => {
  const topic = "arn:aws:sns:eu-west-1:123456789012:pager";
  const files = smallFiles(`aws: { alarms: { topic_arn: "${topic}" } }\n`);
  const made = synthesize(await loadTopology(files), { plainAlarms: true });
  expect(made.ofType("AWS::CloudWatch::CompositeAlarm")).toEqual([]);
  const alarms = made.ofType("AWS::CloudWatch::Alarm").map(({ Properties }) => Properties);
  for (const { Metrics, AlarmActions } of alarms) {
    expect([Metrics, AlarmActions]).toEqual([undefined, [topic]]);
  }
  const watched = new Set(alarms.map(({ MetricName }) => MetricName));
  expect([...watched]).toEqual(
    expect.arrayContaining(["ApproximateAgeOfOldestMessage", "Errors", "Throttles", "Invocations"]),
  );
});
