import { readFileSync } from "node:fs";
import { bodyHash } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { sampleRoute } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import { again, batchFixture, recordOf } from "../delivery/batch-fixture.ts";
import { deliverBatch } from "../delivery/deliver-batch.ts";
import { routeBatch } from "../routing/route-batch.ts";
import { readBusMessage } from "./bus-message.ts";

const remaining = () => 30_000;
const QUEUE = "https://sqs.test/1/reviewer.fifo";

interface Kept {
  readonly body: string;
  readonly group: string;
  readonly objects: Readonly<Record<string, string>>;
}

/** A message as the release before has sent it; `{{x*N}}` stands for a long text. */
function earlier(name: string, release = "aws-b0cfe0b"): Kept {
  const file = new URL(`../../../../test/fixtures/${release}/${name}.json`, import.meta.url);
  const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
  const objects = Object.entries(kept.objects).map(([key, text]) => [
    key,
    text.replace(/\{\{x\*(\d+)\}\}/, (_, length) => "x".repeat(Number(length))),
  ]);
  return { ...kept, objects: Object.fromEntries(objects) };
}

function fixtureWith({ objects }: Kept, got: OrgLoopEvent[] = []) {
  const it = batchFixture(async (event) => void got.push(event));
  for (const [key, text] of Object.entries(objects)) it.stored.set(key, text);
  return it;
}

const route = {
  ...sampleRoute("review"),
  when: { source: ["hub"], events: ["resource.changed" as const] },
};

describe.each(["bus-message", "bus-message-claim-check", "bus-message-replay"])("%s", (name) => {
  test("is read and routed", async () => {
    const kept = earlier(name);
    const it = fixtureWith(kept);
    expect(await readBusMessage(kept.body, it.objects)).toMatchObject({ source: "hub" });
    const record = recordOf(kept.body, kept.group, it.clock.now());
    const done = await routeBatch([record], remaining, it.routing([route]));
    expect(done).toEqual({ batchItemFailures: [] });
    expect(it.sent).toHaveLength(1);
    expect(await it.deadLetters.get("any")).toBeNull();
  });
});

test("an event of the release before is known by SQS's message id: it passes when it comes back, another does not", async () => {
  const kept = earlier("bus-message");
  const it = fixtureWith(kept);
  const options = it.routing([route]);
  const record = recordOf(kept.body, kept.group, it.clock.now());
  await routeBatch([record], remaining, options);
  await routeBatch([again(record)], remaining, options);
  expect(it.sent).toHaveLength(2);
  await routeBatch([recordOf(kept.body, kept.group, it.clock.now())], remaining, options);
  expect(it.sent).toHaveLength(2);
});

test("what the release before has routed is known when its sender sends it to this one, whatever its body", async () => {
  const kept = earlier("bus-message");
  const it = fixtureWith(kept);
  const options = it.routing([route]);
  await routeBatch([recordOf(kept.body, kept.group, it.clock.now())], remaining, options);
  const event = await readBusMessage(kept.body, it.objects);
  const publication = { id: "p1", kind: "first", body: bodyHash(event.payload) };
  const body = JSON.stringify({ v: 1, event, publication });
  await routeBatch([recordOf(body, kept.group, it.clock.now())], remaining, options);
  expect(it.sent).toHaveLength(1);
  expect(it.entries.map(({ phase }) => phase)).toContain("source.repeat");
});

describe.each(["actor-message", "actor-message-claim-check"])("%s", (name) => {
  test("is read and delivered", async () => {
    const kept = earlier(name);
    const got: OrgLoopEvent[] = [];
    const it = fixtureWith(kept, got);
    const record = recordOf(kept.body, kept.group, it.clock.now());
    const done = await deliverBatch([record], QUEUE, remaining, it.delivering);
    expect(done).toEqual({ batchItemFailures: [] });
    expect(got).toMatchObject([{ source: "hub", module: "acme" }]);
  });
});

test("a publication of before it said when it was made is routed, and not sent twice to who has it", async () => {
  const kept = earlier("bus-message", "aws-3154fef");
  const it = fixtureWith(kept);
  const other = { ...route, name: "other", then: { ...route.then, actor: "other" } };
  const options = it.routing([route, other]);
  const record = recordOf(kept.body, kept.group, it.clock.now());
  const sendEach: typeof options.sender.sendEach = async (url, messages) =>
    url.includes("/other.")
      ? messages.map(() => new Error("not now"))
      : options.sender.sendEach(url, messages);
  const refusing = { ...options, sender: { sendEach } };
  const { batchItemFailures } = await routeBatch([record], remaining, refusing);
  expect(batchItemFailures).toHaveLength(1);
  // Moved by hand meanwhile: another message of the same publication.
  await routeBatch([recordOf(kept.body, kept.group, it.clock.now())], remaining, options);
  expect(it.sent.map(({ queueUrl }) => queueUrl)).toEqual([
    expect.stringContaining(`/${route.then.actor}.`),
    expect.stringContaining("/other."),
  ]);
});
