import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { readBusMessage } from "@orgloop/bus/sqs";
import {
  CLOSED,
  type Delivery,
  deliveryLetter,
  NO_ATTEMPTS,
  unroutableLetter,
} from "@orgloop/core";
import type { DeadLetter, LogEntry, OrgLoopEvent } from "@orgloop/sdk";
import { actorMessage, readActorMessage, recordHistory } from "@orgloop/serverless";
import { dynamoRouteStates, leasedCheckpoints } from "@orgloop/stores/dynamodb";
import { testEvent } from "@orgloop/testkit";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { type BareStage, bareStage } from "./bare-stage.ts";

let stage: BareStage;
beforeEach(async () => {
  stage = await bareStage(`t${randomBytes(4).toString("hex")}`);
});
afterEach(() => stage.end());

async function received(queue: string): Promise<string[]> {
  const QueueUrl = await stage.queueUrl(queue);
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 300,
    WaitTimeSeconds: 1,
  });
  const { Messages = [] } = await stage.sqs.send(command);
  return Messages.map(({ Body = "" }) => Body);
}

async function send(queue: string, body: string, group: string, dedupId: string): Promise<void> {
  const command = new SendMessageCommand({
    QueueUrl: await stage.queueUrl(queue),
    MessageBody: body,
    MessageGroupId: group,
    MessageDeduplicationId: dedupId,
  });
  await stage.sqs.send(command);
}

const deliveryOf = (event: OrgLoopEvent, route = "to-agent", actor = "agent"): Delivery => ({
  event,
  route,
  actor,
  orderingKey: "hook",
  config: {},
  replay: 0,
});

async function sendDelivery(queue: string, delivery: Delivery): Promise<void> {
  const route = (await stage.topology()).routes.find(({ name }) => name === delivery.route);
  if (route === undefined) throw new Error("the project has no such route");
  const { body, group, dedupId } = await actorMessage(
    { delivery, route, topologyHash: "hash", severalRoutes: true, nowMs: Date.now() },
    stage.objects,
  );
  await send(queue, body, group, dedupId);
}

describe("what is not there is said", () => {
  test("no stage, no credentials, nothing to reach, commands of a process", async () => {
    const none = await stage.run(["status"]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("is not deployed in eu-west-1");
    expect(none.stderr).toContain("sst deploy --stage");
    const keys = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
    const credentials = await stage.run(["status"], keys);
    expect(credentials.stderr).toContain("there are no AWS credentials");
    const gone = await stage.run(["dead-letters", "list"], {
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    });
    expect(gone.stderr).toContain("http://127.0.0.1:1 cannot be reached");
    for (const command of ["start", "stop", "apply"]) {
      const { code, stderr } = await stage.run([command]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("is a stage on AWS")]);
    }
  });

  test("plan of a stage that is not deployed adds everything", async () => {
    const { answer } = await stage.json(["plan"]);
    expect(answer.state).toEqual({ serial: 0, hash: null });
    expect(answer.summary.remove).toBe(0);
  });
});

describe("a deployed stage", () => {
  beforeEach(() => stage.deploy());

  test("status: queues, breakers, checkpoints, letters, in the fixed form", async () => {
    const states = dynamoRouteStates(stage.table);
    const breaker = { ...CLOSED, openUntilMs: Date.now() + 60_000, cooldownMs: 60_000 };
    await states.update("to-chat", (shared) => ({ ...shared, breaker }));
    const lease = await leasedCheckpoints(stage.table).acquire("team-feed", "test", 60_000);
    await lease?.set("42", { events: 7 });
    await lease?.release({ failed: true });
    for (const n of [1, 2, 3]) {
      await sendDelivery(
        stage.names.actorQueue("agent"),
        deliveryOf(testEvent({ id: `evt_${n}` })),
      );
    }
    await sendDelivery(stage.names.actorDlq("chat"), deliveryOf(testEvent(), "to-chat", "chat"));
    await stage.letters.put(letterOf(testEvent()));
    const { code, answer } = await stage.json(["status"]);
    expect(code).toBe(0);
    expect(answer).toMatchObject({
      running: true,
      bus: "sqs",
      unacked: 3,
      dead_letters: 2,
      actors: [
        { id: "agent", queued: 3, queue_depth: 1000, in_flight: 0 },
        { id: "chat", queued: 0, in_flight: 0 },
      ],
    });
    expect(answer.sources[1]).toMatchObject({
      id: "team-feed",
      state: "degraded",
      checkpoint: "42",
      events: 7,
    });
    expect(answer.routes.map((route: { circuit: string }) => route.circuit)).toEqual([
      "closed",
      "open",
      "closed",
    ]);
    const { stdout } = await stage.run(["status"]);
    expect(stdout).toContain("AWS account 111111111111, eu-west-1");
  });

  test("plan compares the files with what was applied", async () => {
    const none = await stage.run(["plan", "--detailed-exitcode"]);
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining("No changes.")]);
    const [agent] = stage.manifest.actors;
    await stage.write({
      ...stage.manifest,
      actors: [agent],
      routes: stage.manifest.routes.filter(({ then }) => then.actor === "agent"),
    });
    await sendDelivery(stage.names.actorQueue("chat"), deliveryOf(testEvent(), "to-chat", "chat"));
    const { answer, stderr } = await stage.json(["plan"]);
    expect(answer.state.serial).toBe(1);
    expect(answer.summary).toEqual({ add: 0, change: 0, remove: 2 });
    expect(stderr).toContain("actor chat: 1 delivery in its queue; it stays as draining");
  });

  test("inject: events stand on the bus, completed, in order", async () => {
    const file = path.join(stage.project, "events.jsonl");
    const events = Array.from({ length: 5 }, (_, n) => ({ source: "hook", payload: { n } }));
    await writeFile(file, events.map((event) => JSON.stringify(event)).join("\n"));
    const { answer } = await stage.json(["inject", file]);
    expect(answer.injected).toBe(5);
    const bodies = await received(stage.names.bus);
    const onBus = await Promise.all(bodies.map((body) => readBusMessage(body, stage.objects)));
    expect(onBus.map(({ payload }) => payload.n)).toEqual([0, 1, 2, 3, 4]);
    expect(onBus.map(({ id }) => id)).toEqual(answer.event_ids);
    expect(onBus[0]).toMatchObject({ module: "acme", type: "resource.changed" });
  });

  const letterOf = (event: OrgLoopEvent, more: Partial<DeadLetter> = {}): DeadLetter => ({
    ...deliveryLetter(
      deliveryOf(event),
      "exhausted",
      { ...NO_ATTEMPTS, attempts: 3, lastError: "HTTP 500" },
      Date.now(),
    ),
    ...more,
  });

  test("dead letters: the table's and the queues' are one list, shown, replayed and purged", async () => {
    await stage.letters.put(letterOf(testEvent({ id: "evt_table" })));
    await stage.letters.put(unroutableLetter(testEvent({ id: "evt_unrouted" }), "no", Date.now()));
    for (const id of ["evt_poison", "evt_behind"]) {
      await sendDelivery(stage.names.actorDlq("agent"), deliveryOf(testEvent({ id })));
    }
    await send(stage.names.busDlq, "{}", "hook", "junk");
    const list = await stage.json(["dead-letters", "list"]);
    const summary = (letters: DeadLetter[]) => letters.map((it) => [it.event_id, it.reason]);
    expect(summary(list.answer)).toEqual([
      ["evt_table", "exhausted"],
      ["evt_unrouted", "poison"],
      [expect.any(String), "invalid"],
      ["evt_poison", "poison"],
      ["evt_behind", "poison"],
    ]);
    const poison = list.answer.find((it: DeadLetter) => it.event_id === "evt_poison");
    expect(poison).toMatchObject({ route: "to-agent", actor: "agent" });
    const shown = await stage.json(["dead-letters", "show", poison.id]);
    expect(shown.answer.event.id).toBe("evt_poison");
    const filtered = await stage.json([
      "dead-letters",
      "list",
      "--reason",
      "poison",
      "--actor",
      "agent",
    ]);
    expect(filtered.answer).toHaveLength(2);

    const dry = await stage.json(["dead-letters", "replay", "--dry-run"]);
    expect(dry.answer).toMatchObject({ dry_run: true, matched: 5 });
    expect(dry.answer.refused).toHaveLength(1);
    const { answer, code } = await stage.json(["dead-letters", "replay"]);
    expect(code).toBe(1);
    expect(answer).toMatchObject({ matched: 5, started: 4, under_way: 0 });
    const sent = await Promise.all(
      (await received(stage.names.actorQueue("agent"))).map((body) =>
        readActorMessage(body, stage.objects),
      ),
    );
    expect(sent.map(({ delivery }) => delivery.event.id)).toEqual([
      "evt_table",
      "evt_poison",
      "evt_behind",
    ]);
    expect(sent[0]?.delivery).toMatchObject({ replay: 1, event: { replay: 1 } });
    expect(sent[0]?.delivery_id).toContain(".r1");
    const [unrouted] = await received(stage.names.bus);
    expect(await readBusMessage(unrouted ?? "", stage.objects)).toMatchObject({
      replay_of: "evt_unrouted",
      replay: 1,
    });
    expect(await received(stage.names.actorDlq("agent"))).toEqual([]);

    const again = await stage.json(["dead-letters", "replay", "--actor", "agent"]);
    expect(again.answer).toMatchObject({ started: 0, under_way: 3 });
    const purged = await stage.json(["dead-letters", "purge", "--reason", "invalid", "--yes"]);
    expect(purged.answer).toEqual({ purged: 1, under_way: 0 });
    expect(summary((await stage.json(["dead-letters", "list"])).answer)).toHaveLength(3);
  });

  test("logs: of all functions, in order, filtered", async () => {
    const logs = new CloudWatchLogsClient(clientConfig(inject("aws")));
    const beganMs = Date.now() - 5_000;
    const entry = (at: number, more: Partial<LogEntry>): LogEntry => ({
      timestamp: new Date(beganMs + at).toISOString(),
      phase: "deliver.success",
      event_id: `evt_${at}`,
      ...more,
    });
    const put = async (name: string, lines: readonly [number, string][]) => {
      const logGroupName = stage.names.logGroup(name);
      const stream = { logGroupName, logStreamName: "s" };
      await logs.send(new CreateLogGroupCommand({ logGroupName }));
      await logs.send(new CreateLogStreamCommand(stream));
      const logEvents = lines.map(([at, message]) => ({ timestamp: beganMs + at, message }));
      await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
    };
    await put(stage.names.router, [
      [0, "START RequestId: 1"],
      [1, JSON.stringify(entry(1, { phase: "route.match", route: "to-agent" }))],
      [3, `2026\tid\tINFO\t${JSON.stringify(entry(3, { phase: "route.no_match" }))}`],
    ]);
    await put(stage.names.deliverer("agent"), [
      [2, JSON.stringify(entry(2, { route: "to-agent" }))],
    ]);
    await put(`${stage.names.prefix}other`, [[2, JSON.stringify(entry(9, {}))]]);
    logs.destroy();
    const all = await stage.json(["logs", "--no-follow"]);
    expect(all.answer.map((it: LogEntry) => it.event_id)).toEqual(["evt_1", "evt_2", "evt_3"]);
    const some = await stage.json([
      "logs",
      "--no-follow",
      "--route",
      "to-agent",
      "--phase",
      "deliver",
    ]);
    expect(some.answer.map((it: LogEntry) => it.event_id)).toEqual(["evt_2"]);
    const one = await stage.json(["logs", "--no-follow", "--event", "evt_3"]);
    expect(one.answer.map((it: LogEntry) => it.event_id)).toEqual(["evt_3"]);
  });

  test("replay: the record's events go over the bus again, numbered, each once", async () => {
    const nowMs = Date.now();
    const at = (ms: number) => new Date(ms).toISOString();
    const [old, pr, dropped, other] = [
      testEvent({ id: "evt_old", source: "hook" }),
      testEvent({ id: "evt_pr", source: "hook", payload: { kind: "pr" } }),
      testEvent({ id: "evt_dropped", source: "hook" }),
      testEvent({ id: "evt_other", source: "nobody" }),
    ];
    const hours = 5 * 3_600_000;
    await recordHistory(stage.objects, [{ at: at(nowMs - hours), event: old }], nowMs - hours);
    await recordHistory(
      stage.objects,
      [
        { at: at(nowMs), event: pr },
        { at: at(nowMs), event: dropped, dropped: ["to-chat"] },
        { at: at(nowMs), event: other },
      ],
      nowMs,
    );
    await recordHistory(stage.objects, [{ at: at(nowMs), event: pr }], nowMs);
    const dry = await stage.json(["replay", "--since", "1h", "--dry-run"]);
    expect(dry.answer).toEqual({ dry_run: true, matched: 1, not_found: [] });
    const planned = await stage.json(["plan", "--events"]);
    expect(planned.answer.events).toMatchObject({
      changed: 0,
      from: `s3://${stage.bucket}/events`,
    });
    const byId = await stage.json(["replay", "--event", "evt_old", "evt_dropped", "evt_x"]);
    expect(byId.code).toBe(1);
    expect(byId.answer).toMatchObject({ matched: 2, not_found: ["evt_x"] });
    await stage.json(["replay", "--since", "1h", "--route", "to-agent", "--rate", "100/s"]);
    await stage.json(["replay", "--event", "evt_pr"]);
    const onBus = await Promise.all(
      (await received(stage.names.bus)).map((body) => readBusMessage(body, stage.objects)),
    );
    expect(onBus).toMatchObject([
      { replay_of: "evt_old", replay: 1 },
      { replay_of: "evt_dropped", replay: 1 },
      { replay_of: "evt_pr", replay: 1, replay_route: "to-agent" },
      { replay_of: "evt_pr", replay: 2 },
    ]);
  });

  test("doctor: credentials, the stage, its secrets, the account's quotas", async () => {
    const checks = async () => {
      const { code, answer } = await stage.json(["doctor"]);
      const found = answer.checks.map((it: { name: string; status: string }) => [
        it.name,
        it.status,
      ]);
      return { code, answer, status: Object.fromEntries(found) };
    };
    const without = await checks();
    expect(without.code).toBe(2);
    expect(without.status).toMatchObject({
      credentials: "ok",
      stage: "ok",
      "dead letters": "ok",
      CHAT_URL: "error",
      "IAM roles": "ok",
      "Lambda concurrency": "ok",
    });
    const secret = without.answer.checks.find((it: { name: string }) => it.name === "CHAT_URL");
    expect(secret.message).toContain("npx sst secrets set CHAT_URL");
    const ssm = new SSMClient(clientConfig(inject("aws")));
    const Name = `/sst/orgloop/${stage.names.stage}/Secret/CHAT_URL/value`;
    await ssm.send(new PutParameterCommand({ Name, Value: "x", Type: "SecureString" }));
    ssm.destroy();
    expect((await checks()).status.CHAT_URL).toBe("ok");
  });
});
