import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { readBusMessage } from "@orgloop/aws/queue";
import { dynamoRouteStates, leasedCheckpoints } from "@orgloop/aws/state";
import { CLOSED } from "@orgloop/engine";
import { testEvent } from "@orgloop/testkit";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { type BareStage, bareStage } from "./bare-stage.ts";

import { deliveryOf, letterOf, received, sendDelivery } from "./stage-messages.ts";

let stage: BareStage;
beforeEach(async () => {
  stage = await bareStage(`t${randomBytes(4).toString("hex")}`);
});
afterEach(() => stage.end());

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

  test("a configuration with errors, a workspace that does not exist: never what lies on this machine", async () => {
    const commands = [
      ["status"],
      ["dead-letters", "list"],
      ["logs", "--no-follow"],
      ["replay", "--since", "1h"],
    ];
    for (const command of commands) {
      const { code, stderr } = await stage.run([...command, "--workspace", "nosuch"]);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('there is no workspace "nosuch"'),
      ]);
    }
    await stage.write({ ...stage.manifest, actors: [] });
    for (const command of commands) {
      const { code, stderr } = await stage.run(command);
      expect([code, stderr]).toEqual([2, expect.stringContaining('unknown actor "agent"')]);
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
        stage,
        stage.names.actorQueue("agent"),
        deliveryOf(testEvent({ id: `evt_${n}` })),
      );
    }
    await sendDelivery(
      stage,
      stage.names.actorDlq("chat"),
      deliveryOf(testEvent(), "to-chat", "chat"),
    );
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

  test("status shows removed actors with what is left for them, until both of their queues are empty", async () => {
    expect((await stage.json(["status"])).answer).not.toHaveProperty("draining");
    await stage.objects.put(
      "stage/draining.json",
      JSON.stringify([{ id: "old" }, { id: "older" }]),
    );
    for (const n of [1, 2]) {
      await sendDelivery(
        stage,
        stage.names.actorQueue("old"),
        deliveryOf(testEvent({ id: `evt_${n}` })),
      );
    }
    await received(stage, stage.names.actorQueue("old"));
    await sendDelivery(stage, stage.names.actorDlq("older"), deliveryOf(testEvent()));
    const { answer } = await stage.json(["status"]);
    expect(answer).toMatchObject({
      actors: [{ id: "agent" }, { id: "chat" }],
      draining: [
        { id: "old", queued: 0, in_flight: 2, dead_letters: 0 },
        { id: "older", queued: 0, in_flight: 0, dead_letters: 1 },
      ],
      unacked: 2,
      dead_letters: 1,
    });
    const { stdout } = await stage.run(["status"]);
    expect(stdout).toMatch(/REMOVED, DRAINS +QUEUED +IN FLIGHT +DEAD LETTERS\nold +0 +2 +0\n/);
  });

  test("plan compares the files with what was applied", async () => {
    const none = await stage.run(["plan", "--detailed-exitcode"]);
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining("No changes.")]);
    await sendDelivery(
      stage,
      stage.names.actorQueue("chat"),
      deliveryOf(testEvent(), "to-chat", "chat"),
    );
    const [agent] = stage.manifest.actors;
    await stage.write({
      ...stage.manifest,
      actors: [agent],
      routes: stage.manifest.routes.filter(({ then }) => then.actor === "agent"),
    });
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
    const bodies = await received(stage, stage.names.bus);
    const onBus = await Promise.all(bodies.map((body) => readBusMessage(body, stage.objects)));
    expect(onBus.map(({ payload }) => payload.n)).toEqual([0, 1, 2, 3, 4]);
    expect(onBus.map(({ id }) => id)).toEqual(answer.event_ids);
    expect(onBus[0]).toMatchObject({ module: "acme", type: "resource.changed" });
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
      "EventBridge schedules": "ok",
      "SQS queues": "ok",
      "CloudFormation stacks": "ok",
      cost: "ok",
      "Lambda concurrency": "ok",
    });
    // This machine's environment says nothing about the functions'.
    const here = { CHAT_URL: "https://chat.example.test/" };
    const env = await stage.run(["env", "check"], here);
    expect([env.code, env.stdout, env.stderr]).toEqual([
      1,
      expect.stringContaining("CHAT_URL is not set"),
      expect.stringContaining("`orgloop secrets set NAME -w"),
    ]);
    const secret = without.answer.checks.find((it: { name: string }) => it.name === "CHAT_URL");
    expect(secret.message).toContain("secrets set CHAT_URL");
    const ssm = new SSMClient(clientConfig(inject("aws")));
    const Name = `/sst/orgloop/${stage.names.stage}/Secret/CHAT_URL/value`;
    await ssm.send(new PutParameterCommand({ Name, Value: "x", Type: "SecureString" }));
    ssm.destroy();
    expect((await checks()).status.CHAT_URL).toBe("ok");
    expect((await stage.run(["env", "check"])).code).toBe(0);
  });
});
