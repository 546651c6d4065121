import { randomBytes } from "node:crypto";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { recordEvents } from "@orgloop/aws";
import { readBusMessage } from "@orgloop/aws/queue";
import { dynamoRepeatClaims } from "@orgloop/aws/state";
import type { LogEntry } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { type BareStage, bareStage } from "./bare-stage.ts";

import { letterOf, received } from "./stage-messages.ts";

let stage: BareStage;
beforeEach(async () => {
  stage = await bareStage(`t${randomBytes(4).toString("hex")}`);
  await stage.deploy();
});
afterEach(() => stage.end());

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
  await put(stage.names.deliverer("agent"), [[2, JSON.stringify(entry(2, { route: "to-agent" }))]]);
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

  const many = new CloudWatchLogsClient(clientConfig(inject("aws")));
  for (let n = 0; n < 60; n++) {
    const logGroupName = stage.names.logGroup(stage.names.deliverer(`more-${n}`));
    const stream = { logGroupName, logStreamName: "s" };
    await many.send(new CreateLogGroupCommand({ logGroupName }));
    await many.send(new CreateLogStreamCommand(stream));
    const logEvents = [
      { timestamp: beganMs + 100 + n, message: JSON.stringify(entry(100 + n, {})) },
    ];
    await many.send(new PutLogEventsCommand({ ...stream, logEvents }));
  }
  many.destroy();
  const queried = await stage.json(["logs", "--no-follow"]);
  expect(queried.answer.map((it: LogEntry) => it.event_id)).toEqual([
    "evt_1",
    "evt_2",
    "evt_3",
    ...Array.from({ length: 60 }, (_, n) => `evt_${100 + n}`),
  ]);
  const mentioned = await stage.json(["logs", "--no-follow", "--event", "evt_123"]);
  expect(mentioned.answer.map((it: LogEntry) => it.event_id)).toEqual(["evt_123"]);
});

test("explain: what became of an event in the stage, and why each route took it or not", async () => {
  const logs = new CloudWatchLogsClient(clientConfig(inject("aws")));
  const atMs = Date.now() - 5_000;
  const at = (ms: number) => new Date(atMs + ms).toISOString();
  const put = async (name: string, entries: readonly Partial<LogEntry>[]) => {
    const logGroupName = stage.names.logGroup(name);
    const stream = { logGroupName, logStreamName: "s" };
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    await logs.send(new CreateLogStreamCommand(stream));
    const logEvents = entries.map((entry, n) => ({
      timestamp: atMs + n,
      message: JSON.stringify({ source: "hook", ...entry }),
    }));
    await logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
  };
  const of = (event_id: string, ms: number, phase: LogEntry["phase"], more = {}) => ({
    timestamp: at(ms),
    phase,
    event_id,
    ...more,
  });
  const agent = { route: "to-agent", target: "agent" };
  const chat = { route: "to-chat", target: "chat" };
  await put(stage.names.receiver, [
    of("evt_pr1", 0, "source.emit"),
    of("evt_pr2", 1, "source.emit"),
  ]);
  await put(stage.names.router, [
    of("evt_pr1", 2, "route.match", agent),
    of("evt_pr1", 3, "route.match", chat),
    of("evt_pr2", 4, "route.match", chat),
  ]);
  await put(stage.names.deliverer("agent"), [
    of("evt_pr1", 5, "deliver.retry", { ...agent, attempt: 1, error: "the agent answered 503" }),
    of("evt_pr1", 6, "deliver.success", { ...agent, attempt: 2, result: "delivered" }),
  ]);
  logs.destroy();
  const event = testEvent({ id: "evt_pr1", source: "hook", payload: { kind: "pr" } });
  await recordEvents(stage.objects, [{ at: at(4), event }], atMs);
  await stage.letters.put(
    letterOf(event, { ...{ route: "to-chat", actor: "chat" }, last_at: at(7) }),
  );

  const { answer, code } = await stage.json(["explain", "evt_pr1"]);
  expect(code).toBe(0);
  const [found] = answer.events;
  expect(found).toMatchObject({ state: "routed", total: 2, matched: 2 });
  expect(found.outcomes).toMatchObject([
    { route: "to-agent", state: "delivered", attempts: 2, actor: "agent" },
    { route: "to-chat", state: "dead", reason: "exhausted" },
  ]);
  expect(found.timeline.map(({ phase }: { phase: string }) => phase)).toEqual([
    "source.emit",
    "route.match",
    "route.match",
    "deliver.retry",
    "deliver.success",
    "letter",
  ]);
  expect(found.routes[0]).toMatchObject({ route: "to-agent", file: "orgloop.yaml", matched: true });
  expect((await stage.json(["explain", "pr1"])).answer.events[0].event.id).toBe("evt_pr1");
  const several = await stage.run(["explain", "evt_pr"]);
  expect(several.code).toBe(1);
  expect(several.stderr).toContain("evt_pr1, evt_pr2");
  const second = await stage.json(["explain", "evt_pr2", "--route", "to-agent"]);
  expect(second.answer.events[0].routes).toMatchObject([
    { route: "to-agent", matched: null, unknown: "the event's payload is no longer kept" },
  ]);
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
  await recordEvents(stage.objects, [{ at: at(nowMs - hours), event: old }], nowMs - hours);
  await recordEvents(
    stage.objects,
    [
      { at: at(nowMs), event: pr },
      { at: at(nowMs), event: dropped, dropped: ["to-chat"] },
      { at: at(nowMs), event: other },
    ],
    nowMs,
  );
  await recordEvents(stage.objects, [{ at: at(nowMs), event: pr }], nowMs);
  const dry = await stage.json(["replay", "--since", "1h", "--dry-run"]);
  expect(dry.answer).toEqual({ dry_run: true, matched: 1, not_found: [] });
  const planned = await stage.json(["plan", "--events"]);
  expect(planned.answer.events).toMatchObject({
    changed: 0,
    from: `s3://${stage.bucket}/events`,
  });
  const recent = await stage.json(["replay", "--event", "evt_pr", "--dry-run"]);
  const hour = (ms: number) => at(ms - (ms % 3_600_000));
  expect(recent.stderr).toContain(`Read 2 objects of the record, from ${hour(nowMs)} on.`);
  const source = await stage.json([
    "replay",
    "--event",
    "evt_old",
    "--source",
    "hook",
    "--dry-run",
  ]);
  expect(source.answer.matched).toBe(1);
  expect(source.stderr).toContain(`Read 3 objects of the record, from ${hour(nowMs - hours)} on.`);
  const claim = { eventId: "evt_new", publication: "p", windowMs: 60_000, nowMs };
  await dynamoRepeatClaims(stage.table).claim(claim);
  const ids = ["evt_old", "evt_dropped", "evt_x", "evt_new"];
  const byId = await stage.json(["replay", "--event", ...ids]);
  expect(byId.code).toBe(1);
  const missing = { not_found: ["evt_x", "evt_new"], unrecorded: ["evt_new"] };
  expect(byId.answer).toMatchObject({ matched: 2, ...missing });
  expect(byId.stderr).toContain("evt_new: was routed and is not in the record");
  await stage.json(["replay", "--since", "1h", "--route", "to-agent", "--rate", "100/s"]);
  await stage.json(["replay", "--event", "evt_pr"]);
  const onBus = await Promise.all(
    (await received(stage, stage.names.bus)).map((body) => readBusMessage(body, stage.objects)),
  );
  expect(onBus).toMatchObject([
    { replay_of: "evt_old", replay: 1 },
    { replay_of: "evt_dropped", replay: 1 },
    { replay_of: "evt_pr", replay: 1, replay_route: "to-agent" },
    { replay_of: "evt_pr", replay: 2 },
  ]);
});
