// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import type { RouteSpec } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { eventOf, routeOf } from "../delivery/batch-fixture.ts";
import { recordedMatcher } from "./recorded-matcher.ts";

test("what a filter with a secret may take is replayed: the router knows the secret", () => {
  const routes = Object.entries({
    equal: { "payload.team": "${TEAM}" },
    net: { "payload.address": [{ cidr: "${NET}" }] },
    other: { "payload.team": "blue" },
  }).map(([name, filter]): RouteSpec => {
    const when = { source: ["s"], events: ["resource.changed"], filter } as const;
    return { ...routeOf(), name, when };
  });
  const match = (source: string) =>
    recordedMatcher(routes)
      .match(eventOf("1", { source, payload: { team: "red" } }))
      .map(({ name }) => name);
  expect(match("s")).toEqual(["equal", "net"]);
  expect(match("elsewhere")).toEqual([]);
});
