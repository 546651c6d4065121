import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { readActorMessage } from "@orgloop/aws";
import { deliverBatch } from "@orgloop/aws/batches";
import { readBusMessage } from "@orgloop/aws/queue";
import { dynamoAttempts, dynamoRouteStates } from "@orgloop/aws/state";
import { knownSecrets, unfitLetter, unroutableLetter } from "@orgloop/engine";
import { type DeadLetter, PermanentError } from "@orgloop/sdk";
import { fakeClock, storedLetters, testEvent } from "@orgloop/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BareStage, bareStage } from "./bare-stage.ts";

import { deliveryOf, letterOf, received, send, sendDelivery } from "./stage-messages.ts";

let stage: BareStage;
beforeEach(async () => {
  stage = await bareStage(`t${randomBytes(4).toString("hex")}`);
  await stage.deploy();
});
afterEach(() => stage.end());

test("dead letters: the table's and the queues' are one list, shown, replayed and purged", async () => {
  await stage.letters.put(letterOf(testEvent({ id: "evt_table" })));
  await stage.letters.put(unroutableLetter(testEvent({ id: "evt_unrouted" }), "no", Date.now()));
  for (const id of ["evt_poison", "evt_behind"]) {
    await sendDelivery(stage, stage.names.actorDlq("agent"), deliveryOf(testEvent({ id })));
  }
  await send(stage, stage.names.busDlq, "{}", "hook", "junk");
  const list = await stage.json(["dead-letters", "list"]);
  const summary = (letters: DeadLetter[]) => letters.map((it) => [it.event_id, it.reason]);
  // The queues are read side by side: which of their letters comes first is open.
  expect(list.answer).toHaveLength(5);
  expect(summary(list.answer)).toEqual(
    expect.arrayContaining([
      ["evt_table", "exhausted"],
      ["evt_unrouted", "poison"],
      [expect.any(String), "invalid"],
      ["evt_poison", "poison"],
      ["evt_behind", "poison"],
    ]),
  );
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
    (await received(stage, stage.names.actorQueue("agent"))).map((body) =>
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
  const [unrouted] = await received(stage, stage.names.bus);
  expect(await readBusMessage(unrouted ?? "", stage.objects)).toMatchObject({
    replay_of: "evt_unrouted",
    replay: 1,
  });
  expect(await received(stage, stage.names.actorDlq("agent"))).toEqual([]);

  const again = await stage.json(["dead-letters", "replay", "--actor", "agent"]);
  expect(again.answer).toMatchObject({ started: 0, under_way: 3 });
  const purged = await stage.json(["dead-letters", "purge", "--reason", "invalid", "--yes"]);
  expect(purged.answer).toEqual({ purged: 1, under_way: 0 });
  expect(summary((await stage.json(["dead-letters", "list"])).answer)).toHaveLength(3);
});

test("what did not fit a schema is checked again: it stays, or goes to the bus", async () => {
  const [hook, ...others] = stage.manifest.sources;
  const sources = [{ ...hook, schemas: { "resource.changed": "./n.json" } }, ...others];
  const file = path.join(stage.project, "n.json");
  await stage.write({ ...stage.manifest, sources });
  const schema = (type: unknown) =>
    writeFile(file, JSON.stringify({ properties: { n: { type } } }));
  await schema("integer");
  await stage.apply(2);
  const event = testEvent({ id: "evt_unfit", source: "hook", payload: { n: "one" } });
  await stage.letters.put(unfitLetter(event, "payload.n must be integer", Date.now() - 60_000));
  await stage.json(["dead-letters", "replay"]);
  const [before] = (await stage.json(["dead-letters", "list"])).answer;
  expect(before).toMatchObject({ event_id: "evt_unfit", reason: "invalid", route: null });
  expect(before.last_error).toBe("payload.n must be integer (n.json)");
  expect(Date.parse(before.last_at)).toBeGreaterThan(Date.parse(before.first_at));
  expect(await received(stage, stage.names.bus)).toEqual([]);

  await schema(["integer", "string"]);
  await stage.apply(3);
  expect((await stage.json(["dead-letters", "replay"])).answer).toMatchObject({ started: 1 });
  const [onBus] = await received(stage, stage.names.bus);
  expect(await readBusMessage(onBus ?? "", stage.objects)).toMatchObject({
    replay_of: "evt_unfit",
    replay: 1,
  });
  expect((await stage.json(["dead-letters", "list"])).answer).toEqual([]);
});

test("a letter goes when its replay was delivered; one that fails again keeps its history", async () => {
  for (const id of ["evt_good", "evt_bad"]) {
    await stage.letters.put(letterOf(testEvent({ id }), { first_error: "the first of all" }));
  }
  expect((await stage.json(["dead-letters", "replay"])).answer.started).toBe(2);
  const queueUrl = await stage.queueUrl(stage.names.actorQueue("agent"));
  const { Messages = [] } = await stage.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ["All"],
    }),
  );
  const records = Messages.map(({ MessageId, ReceiptHandle, Body, Attributes = {} }) => ({
    messageId: MessageId ?? "",
    receiptHandle: ReceiptHandle ?? "",
    body: Body ?? "",
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: Attributes.SentTimestamp ?? "",
      MessageGroupId: Attributes.MessageGroupId ?? "",
    },
  }));
  const clock = fakeClock();
  const { batchItemFailures } = await deliverBatch(records, queueUrl, () => 60_000, {
    clock,
    known: knownSecrets(),
    objects: stage.objects,
    attempts: dynamoAttempts(stage.table),
    routeStates: dynamoRouteStates(stage.table),
    deadLetters: stage.letters,
    secrets: {
      resolve: async (_, value) => value,
      resolveEach: async (items) => items.map(({ value }) => value),
    },
    flow: { log: () => {}, count: () => {} },
    hide: async () => {},
    remove: async () => {},
    depthOf: () => 1_000,
    bound: { excess: async () => 0 },
    inbox: () => Promise.reject(new Error("no route has an inbox")),
    openActor: async () => ({
      async deliver({ id }) {
        if (id === "evt_bad") throw new PermanentError("HTTP 410");
      },
    }),
  });
  expect(batchItemFailures).toEqual([]);
  const letters = await storedLetters(stage.letters);
  expect(letters).toMatchObject([
    {
      event_id: "evt_bad",
      reason: "permanent",
      attempts: 4,
      first_error: "the first of all",
      last_error: "HTTP 410",
      event: { replay: 1 },
    },
  ]);
  const again = await stage.json(["dead-letters", "replay"]);
  expect(again.answer).toMatchObject({ started: 1, under_way: 0 });
});
