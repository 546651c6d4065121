import path from "node:path";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { stageLetters, withStage } from "@orgloop/aws/operate";
import { awsNames } from "@orgloop/aws/plan";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { orgloop } from "../run-orgloop.ts";
import { HOOK_SECRET, removeProject, writeBehaviourProject } from "./behaviour-project.ts";
import { cdkStage } from "./cdk-stage.ts";
import { sstStage } from "./deploy-stage.ts";
import { holdingProxy } from "./holding-proxy.ts";
import { postWebhook } from "./post-webhook.ts";
import { type FeedPage, type Parcel, testActors } from "./test-actors.ts";

const aws = inject("aws");
const stage = "behaviour";
const names = awsNames(stage);
const actors = await testActors();
const lambda = new LambdaClient(clientConfig(aws));
const sqs = new SQSClient(clientConfig(aws));
const cleanUps: (() => unknown)[] = [() => actors[Symbol.asyncDispose]()];
let webhookUrl: string;
let project: string;

beforeAll(async () => {
  // The command line's side of AWS takes its endpoint and credentials from the environment.
  Object.assign(process.env, aws.env);
  actors.feed.push(page(0), page(1), page(2));
  project = await writeBehaviourProject(stage, actors);
  cleanUps.push(() => removeProject(project));
  const open = inject("deployer") === "cdk" ? cdkStage : sstStage;
  const deployed = await open({ aws, stage, project, secrets: { HOOK_SECRET } });
  cleanUps.push(() => deployed[Symbol.asyncDispose]());
  webhookUrl = (await deployed.deploy()).WebhookUrl ?? "";
});

afterAll(async () => {
  lambda.destroy();
  sqs.destroy();
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** Three events of `feed`, for the actor `beside`. */
function page(n: number): FeedPage {
  const events = [0, 1, 2].map((at) => ({
    identity: `feed-${n}-${at}`,
    provenance: { platform: "feed" },
    payload: { to: "beside", key: `feed-${n}`, n: at },
  }));
  return { events, checkpoint: `after-page-${n}` };
}

const eventually = <T>(check: () => T | Promise<T>, timeout = 90_000) =>
  vi.waitFor(check, { timeout, interval: 100 });

async function post(parcel: Parcel, id?: string): Promise<void> {
  const { status, body } = await postWebhook({
    ...{ url: webhookUrl, endpoint: aws.endpoint, source: "hook", secret: HOOK_SECRET },
    ...{ body: parcel, ...(id === undefined ? {} : { id }) },
  });
  expect([status, body]).toEqual([200, expect.anything()]);
}

/** Numbers 0 to below `count`, one after the other. */
async function postAll(to: string, count: number, key = "k"): Promise<number[]> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  for (const n of numbers) await post({ to, key, n });
  return numbers;
}

const letters = (actor: string) =>
  withStage({ workspace: stage }, async (opened) => {
    const { letters } = await stageLetters(opened).list({ actor });
    return letters;
  });

/** Runs `orgloop` against the stage; gives what it printed. */
async function command(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await orgloop(
    [...args, "--workspace", stage, "--config", project],
    {
      ...aws.env,
      HOOK_SECRET,
      ORGLOOP_HOME: path.join(project, "home"),
    },
  );
  expect([code, stderr]).toEqual([0, expect.anything()]);
  return stdout;
}

/** What was taken by a function that died comes back after so long. */
const setVisibility = (actor: string, seconds: number) =>
  setQueue(actor, { VisibilityTimeout: String(seconds) });

/** How often a message is received before SQS moves it to the dead-letter queue. */
async function setReceives(actor: string, maxReceiveCount: number): Promise<void> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: await queueUrl(actor),
      AttributeNames: ["RedrivePolicy"],
    }),
  );
  const policy = JSON.parse(Attributes?.RedrivePolicy ?? "{}");
  await setQueue(actor, { RedrivePolicy: JSON.stringify({ ...policy, maxReceiveCount }) });
}

async function setQueue(actor: string, Attributes: Record<string, string>): Promise<void> {
  const QueueUrl = await queueUrl(actor);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
}

async function queueUrl(actor: string): Promise<string> {
  const command = new GetQueueUrlCommand({ QueueName: names.actorQueue(actor) });
  return (await sqs.send(command)).QueueUrl ?? "";
}

async function configure(
  FunctionName: string,
  change: { readonly Timeout: number; readonly env?: Readonly<Record<string, string>> },
): Promise<void> {
  const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const Variables = { ...Environment?.Variables, ...change.env };
  const { Timeout } = change;
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName,
      Timeout,
      Environment: { Variables },
    }),
  );
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName });
}

const poll = (FunctionName: string) =>
  lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ source: "feed" }) }));

test("signed webhooks reach their actor once each, in order per key; what is not signed is refused", async () => {
  const sent: Parcel[] = [];
  for (let n = 0; n < 12; n += 1) {
    const parcel = { to: "steady", key: `k${n % 3}`, n };
    sent.push(parcel);
    await post(parcel, `msg_${n}`);
    // The sender did not hear the answer and sends it again.
    if (n % 4 === 0) await post(parcel, `msg_${n}`);
  }
  for (const secret of [null, `whsec_${Buffer.from("another").toString("base64")}`]) {
    const request = { url: webhookUrl, endpoint: aws.endpoint, source: "hook", secret };
    const parcel = { to: "steady", key: "k0", n: 99 };
    expect((await postWebhook({ ...request, body: parcel })).status).toBe(401);
  }
  await post({ to: "steady", key: "k0", n: 12 });
  await eventually(() => expect(actors.accepted("steady")).toContain(12));
  await eventually(() => expect(actors.accepted("steady")).toHaveLength(13));
  expect(actors.accepted("steady", "k0")).toEqual([0, 3, 6, 9, 12]);
  expect(actors.accepted("steady", "k1")).toEqual([1, 4, 7, 10]);
  expect(actors.accepted("steady", "k2")).toEqual([2, 5, 8, 11]);
});

test("a key whose head fails holds, the other keys of its actor and the other actors flow; recovery drains it in order", async () => {
  let ill = true;
  actors.answer("keyed", ({ key }) => (key === "ill" && ill ? 503 : 200));
  const parcels = [0, 1, 2].map((n) => ({ to: "keyed", key: "ill", n }));
  for (const parcel of parcels) await post(parcel);
  await postAll("keyed", 3, "well");
  await post({ to: "steady", key: "beside-keyed", n: 0 });
  await eventually(() => expect(actors.accepted("keyed", "well")).toEqual([0, 1, 2]));
  await eventually(() => expect(actors.accepted("steady", "beside-keyed")).toEqual([0]));
  const attempts = () => actors.arrivals.filter(({ to, key }) => to === "keyed" && key === "ill");
  await eventually(() => expect(attempts().length).toBeGreaterThan(2));
  expect(new Set(attempts().map(({ n }) => n))).toEqual(new Set([0]));
  ill = false;
  await eventually(() => expect(actors.accepted("keyed", "ill")).toEqual([0, 1, 2]));
});

test("the breaker of a dead actor holds: its head is probed, nothing is lost; when it is back, all comes in order", async () => {
  let dead = true;
  actors.answer("broken", () => (dead ? 500 : 200));
  await postAll("broken", 6);
  const attempts = () => actors.arrivals.filter(({ to }) => to === "broken");
  await eventually(() => expect(attempts().length).toBeGreaterThan(2));
  expect(new Set(attempts().map(({ n }) => n))).toEqual(new Set([0]));
  dead = false;
  await eventually(() => expect(actors.accepted("broken")).toEqual([0, 1, 2, 3, 4, 5]));
  expect(await letters("broken")).toEqual([]);
});

test("used-up attempts and a refusal for good become dead letters with their reasons; a replay delivers them", async () => {
  actors.answer("refusing", ({ n }) => (n === 0 ? 500 : 422));
  await postAll("refusing", 2);
  await eventually(async () =>
    expect(await letters("refusing")).toMatchObject([
      { reason: "exhausted", attempts: 2, route: "to-refusing" },
      { reason: "permanent", attempts: 1, route: "to-refusing" },
    ]),
  );
  actors.answer("refusing", () => 200);
  await command("dead-letters", "replay", "--actor", "refusing");
  await eventually(() =>
    expect(actors.accepted("refusing").toSorted((a, b) => a - b)).toEqual([0, 1]),
  );
  await eventually(async () => expect(await letters("refusing")).toEqual([]));
  const replays = actors.arrivals.filter(({ to, status }) => to === "refusing" && status === 200);
  expect(replays.map(({ replay }) => replay)).toEqual([1, 1]);
});

test("an event that was delivered is delivered once more by a replay, and once", async () => {
  const parcel = { to: "steady", key: "again", n: 1 };
  await post(parcel);
  const arrived = () => actors.arrivals.filter(({ key }) => key === "again");
  await eventually(() => expect(arrived()).toHaveLength(1));
  const { eventId = "" } = arrived()[0] ?? {};
  // What was routed is recorded within a minute or two.
  await eventually(() => command("replay", "--event", eventId), 200_000);
  await post({ ...parcel, n: 2 });
  await eventually(() => expect(arrived()).toHaveLength(3));
  expect(arrived()).toMatchObject([
    { eventId, n: 1, replay: 0 },
    { eventId, n: 1, replay: 1 },
    { n: 2, replay: 0 },
  ]);
  const log = JSON.parse(await command("logs", "--no-follow", "--event", eventId, "--json"));
  const phases = log.map(({ phase }: { phase: string }) => phase);
  for (const [phase, times] of [
    ["source.emit", 1],
    ["route.match", 2],
    ["deliver.success", 2],
  ]) {
    expect([phase, phases.filter((one: string) => one === phase).length]).toEqual([phase, times]);
  }
});

test("an agent is told once that something waits, and fetches it; what nobody fetches in time becomes a dead letter", async () => {
  const reported = (key: string) => actors.notices.filter(({ session_key }) => session_key === key);
  const drained = async (key: string) =>
    JSON.parse(await command("inbox", "drain", "--key", key)) as {
      readonly events: readonly { readonly payload: Parcel }[];
      readonly remaining: number;
    };
  const numbers = (found: Awaited<ReturnType<typeof drained>>) =>
    found.events.map(({ payload }) => payload.n);
  await post({ to: "fetching", key: "left", n: 0, ttl: "1s" });
  await post({ to: "fetching", key: "agent", n: 0 });
  await eventually(() => expect(reported("agent")).toHaveLength(1));
  expect(reported("agent")[0]).toMatchObject({
    pending_count: 1,
    drain_command: `orgloop inbox drain --workspace ${stage} --key "agent" --format json`,
  });
  await post({ to: "fetching", key: "agent", n: 1 });
  const waiting = async () => JSON.parse(await command("inbox", "status", "--json"));
  await eventually(async () =>
    expect((await waiting()).sessions).toContainEqual({ sessionKey: "agent", pending: 2 }),
  );
  const fetched = await drained("agent");
  expect([numbers(fetched), fetched.remaining]).toEqual([[0, 1], 0]);
  expect(numbers(await drained("agent"))).toEqual([]);
  await post({ to: "fetching", key: "agent", n: 2 });
  await eventually(() => expect(reported("agent")).toHaveLength(2));
  expect(numbers(await drained("agent"))).toEqual([2]);
  // By the schedule, once a minute.
  await eventually(
    async () =>
      expect(await letters("fetching")).toMatchObject([{ reason: "expired", attempts: 0 }]),
    150_000,
  );
  expect(numbers(await drained("left"))).toEqual([]);
  expect(reported("left")).toHaveLength(1);
  expect(actors.accepted("fetching")).toEqual([]);
});

test("a function killed in the middle of a batch loses nothing, and keeps the order", async () => {
  await setVisibility("fragile", 2);
  let killed = false;
  actors.answer("fragile", ({ n }) => {
    if (n !== 3 || killed) return 200;
    killed = true;
    return 410;
  });
  const numbers = await postAll("fragile", 8);
  await eventually(() => expect(new Set(actors.accepted("fragile"))).toEqual(new Set(numbers)));
  expect(killed).toBe(true);
  const firsts = [...new Set(actors.accepted("fragile"))];
  expect(firsts).toEqual(numbers);
});

test("an event whose attempts kill the function is given up as poison; those behind it come through", async () => {
  await setVisibility("poisoned", 2);
  actors.answer("poisoned", ({ n }) => (n === 0 ? 410 : 200));
  await postAll("poisoned", 3);
  await eventually(async () =>
    expect(await letters("poisoned")).toMatchObject([{ reason: "poison" }]),
  );
  await eventually(() => expect([...new Set(actors.accepted("poisoned"))]).toEqual([1, 2]));
});

test("what SQS gives up on stands in the dead-letter queue, is listed with the others, and a replay delivers it", async () => {
  await setVisibility("redriven", 2);
  await setReceives("redriven", 2);
  actors.answer("redriven", () => 410);
  await postAll("redriven", 1);
  await eventually(async () =>
    expect(await letters("redriven")).toMatchObject([{ reason: "poison", route: "to-redriven" }]),
  );
  expect(await command("dead-letters", "list", "--actor", "redriven")).toContain("poison");
  actors.answer("redriven", () => 200);
  await command("dead-letters", "replay", "--actor", "redriven");
  await eventually(() => expect(actors.accepted("redriven")).toEqual([0]));
  await eventually(async () => expect(await letters("redriven")).toEqual([]));
});

test("a schedule fires, and what its source has arrives once each and in order", async () => {
  const fed = () => actors.arrivals.filter(({ to }) => to === "beside");
  await eventually(() => expect(fed().length).toBeGreaterThanOrEqual(9), 180_000);
  for (const n of [0, 1, 2]) expect(actors.accepted("beside", `feed-${n}`)).toEqual([0, 1, 2]);
  expect(fed()).toHaveLength(9);
});

test("a poller killed between publishing a page and moving its checkpoint repeats what is then one event", async () => {
  const poller = names.poller("feed");
  const proxy = await holdingProxy(aws.endpoint, (body) => body.includes("after-page-3"));
  cleanUps.push(() => proxy.close());
  // Killed by its own timeout, while the answer to the checkpoint's write is held; the lease ends
  // soon after.
  await configure(poller, { Timeout: 5, env: { AWS_ENDPOINT_URL: proxy.url } });
  actors.feed.push(page(3));
  await poll(poller);
  await eventually(() => expect(proxy.held).toBeGreaterThan(0));
  await eventually(() => expect(actors.accepted("beside", "feed-3")).toEqual([0, 1, 2]));
  await configure(poller, { Timeout: 60, env: { AWS_ENDPOINT_URL: aws.endpoint } });
  actors.feed.push(page(4));
  await eventually(async () => {
    await poll(poller);
    expect(actors.accepted("beside", "feed-4")).toEqual([0, 1, 2]);
  });
  expect(actors.polls.filter((after) => after === "after-page-2").length).toBeGreaterThan(1);
  expect(actors.accepted("beside", "feed-3")).toEqual([0, 1, 2]);
});
