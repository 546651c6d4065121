import { expect, test } from "vitest";
import { batchFixture, eventOf, routeOf } from "../delivery/batch-fixture.ts";
import { actorMessage } from "./actor-message.ts";

const { objects } = batchFixture();

async function groupOf(orderingKey: string, name: string, concurrency: number): Promise<string> {
  const route = { ...routeOf({ concurrency }), name };
  const delivery = {
    ...{ event: eventOf("1"), route: name, actor: route.then.actor, orderingKey },
    ...{ config: {}, replay: 0 },
  };
  const about = { topologyHash: "hash", severalRoutes: true, nowMs: 0 };
  const { group } = await actorMessage({ delivery, route, ...about }, objects);
  return group;
}

test("an actor that takes one delivery at a time has one message group, whatever the key or route", async () => {
  const alone = await groupOf("x", "r", 1);
  expect(await groupOf("y", "r", 1)).toBe(alone);
  expect(await groupOf("x", "s", 1)).toBe(alone);
  expect(await groupOf("x", "r", 2)).not.toBe(await groupOf("y", "r", 2));
});
