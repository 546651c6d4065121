import { awsNames } from "@orgloop/aws/plan";
import { FORTUNE_50 } from "@orgloop/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { evaluateAlarms, type Recorded } from "./alarms/evaluate-alarms.ts";
import { ages, calls, from, healthy } from "./alarms/recordings.ts";
import { SECRETS } from "./laws.ts";
import { enterprise, smallFiles } from "./organisations.ts";
import { loadTopology, type Synthesized, synthesize } from "./synthesize.ts";

const TOPIC = "arn:aws:sns:eu-west-1:123456789012:pager";
const ALARMED = `aws: { alarms: { topic_arn: "${TOPIC}" } }\n`;
const names = awsNames("production");
const HOURS = 60;

let small: Synthesized;
let large: Synthesized;

beforeAll(async () => {
  small = synthesize(await loadTopology(smallFiles(ALARMED), SECRETS));
  large = synthesize(await loadTopology(enterprise(FORTUNE_50, ALARMED), SECRETS));
});

const reported = (made: Synthesized, recorded: Recorded, minutes = 4 * HOURS) =>
  evaluateAlarms(made, recorded, minutes);

test("an organisation that is well wakes nobody, for a day", () => {
  expect(reported(small, healthy, 24 * HOURS)).toEqual([]);
  expect(reported(large, healthy)).toEqual([]);
});

const isActors = (of: string) => of === names.actorQueue("reviewer");
const deliverer = names.deliverer("reviewer");
const reviewerPart = names.actorQueue("reviewer").slice(names.prefix.length, -".fifo".length);

/** One failure mode each: what is recorded, who is told by what, and within how many minutes. */
const MODES: readonly {
  readonly of: string;
  readonly recorded: Recorded;
  readonly tells: RegExp;
  readonly because: string;
  readonly within: number;
}[] = [
  {
    of: "an actor that is down: its queue gets old",
    recorded: from(30, (metric, since) => (isActors(metric.of) ? ages(metric, since) : undefined)),
    ...{ tells: /^actors-\d+$/, because: `${reviewerPart}-late`, within: 75 },
  },
  {
    of: "a deliver function that cannot start",
    recorded: from(30, (metric, since) => {
      if (isActors(metric.of)) return ages(metric, since);
      return metric.of === deliverer ? calls(metric, "Errors") : undefined;
    }),
    ...{
      tells: /^actors-\d+$/,
      because: `${deliverer.slice(names.prefix.length)}-failing`,
      within: 30,
    },
  },
  {
    of: "deliveries that SQS has put aside",
    recorded: from(30, ({ name, of }) =>
      of === names.actorDlq("reviewer") && name.endsWith("Visible") ? 3 : undefined,
    ),
    ...{ tells: /^actors-\d+$/, because: `${reviewerPart}-dlq`, within: 10 },
  },
  {
    of: "a router that cannot start: the bus gets old as well",
    recorded: from(30, (metric, since) => {
      if (metric.of === names.bus) return ages(metric, since);
      return metric.of === names.router ? calls(metric, "Errors") : undefined;
    }),
    ...{ tells: /^router$/, because: "router-errors", within: 20 },
  },
  {
    of: "a router that nobody calls: SQS sees it",
    recorded: from(30, (metric, since) => {
      if (metric.of === names.bus) return ages(metric, since);
      return metric.of === names.router ? null : undefined;
    }),
    ...{ tells: /^router$/, because: "bus-age", within: 25 },
  },
  {
    of: "events that were never routed",
    recorded: from(30, ({ name, of }) =>
      of === names.busDlq && name.endsWith("Visible") ? 1 : undefined,
    ),
    ...{ tells: /^router$/, because: "bus-dlq", within: 10 },
  },
  {
    of: "webhooks that are answered 429",
    recorded: from(30, (metric) =>
      metric.of === names.receiver && metric.name === "Throttles" ? 1 : undefined,
    ),
    ...{ tells: /^webhooks$/, because: "receiver-throttles", within: 10 },
  },
  {
    of: "webhooks that are answered with an error",
    recorded: from(30, (metric) =>
      metric.of === names.receiver ? calls(metric, "Errors") : undefined,
    ),
    ...{ tells: /^webhooks$/, because: "receiver-errors", within: 10 },
  },
  {
    of: "pollers that nobody calls: their sources are stale as well",
    recorded: from(30, ({ name, of }, since) => {
      if (of.includes("-poll-")) return null;
      return name === "SourcesStale" && since > 10 ? 2 : undefined;
    }),
    ...{ tells: /^ticks$/, because: "polls-silent", within: 30 },
  },
  {
    of: "a sweeper that nobody calls",
    recorded: from(30, ({ namespace, name, of }) => {
      if (of === names.sweeper) return null;
      return namespace === "OrgLoop" && name.startsWith("Sources") ? null : undefined;
    }),
    ...{ tells: /^ticks$/, because: "sweeper-silent", within: 25 },
  },
  {
    of: "schedules that do not tick at all",
    recorded: from(30, ({ namespace, name, of }) => {
      if (of === names.sweeper || of.includes("-poll-")) return null;
      return namespace === "OrgLoop" && name.startsWith("Sources") ? null : undefined;
    }),
    ...{ tells: /^ticks$/, because: "sweeper-silent", within: 30 },
  },
  {
    of: "one source that is not polled",
    recorded: from(30, ({ name }) => (name === "SourcesStale" ? 1 : undefined)),
    ...{ tells: /^polls$/, because: "sources-stale", within: 25 },
  },
  {
    of: "a tenth of the sources failing",
    recorded: from(30, ({ name }) => (name === "SourcesFailing" ? 4 : undefined)),
    ...{ tells: /^polls$/, because: "sources-failing", within: 25 },
  },
  {
    of: "a poller that crashes",
    recorded: from(30, (metric) =>
      metric.of === names.poller("octo") ? calls(metric, "Errors") : undefined,
    ),
    ...{
      tells: /^polls$/,
      because: `${names.poller("octo").slice(names.prefix.length)}-failing`,
      within: 30,
    },
  },
  {
    of: "a tenth of the deliveries given up",
    recorded: from(30, ({ name }) => (name === "DeadLetters" ? 111 : undefined)),
    ...{ tells: /^letters$/, because: "dead-letters", within: 10 },
  },
  {
    of: "an account without concurrency: what has none reserved is throttled and late",
    recorded: from(30, (metric, since) => {
      if (metric.name === "ClaimedAccountConcurrency") return 1000;
      if (metric.namespace === "AWS/SQS") return ages(metric, since);
      if ([names.router, names.receiver].includes(metric.of)) return undefined;
      return metric.namespace === "AWS/Lambda" ? calls(metric, "Throttles") : undefined;
    }),
    ...{ tells: /^platform$/, because: "concurrency", within: 30 },
  },
  {
    of: "a table that refuses",
    recorded: from(30, ({ name }) => (name === "WriteThrottleEvents" ? 50 : undefined)),
    ...{ tells: /^platform$/, because: "table-throttles", within: 25 },
  },
];

describe("one message a cause, soon, naming what it stands on:", () => {
  test.each(MODES)("$of", ({ recorded, tells, because, within }) => {
    const messages = reported(small, recorded);
    expect(messages).toEqual([
      {
        alarm: expect.stringMatching(tells),
        because: expect.arrayContaining([because]),
        minute: expect.any(Number),
      },
    ]);
    expect(messages[0]?.minute).toBeLessThanOrEqual(30 + within);
  });
});

test("what hurts for a moment, or one of a thousand, wakes nobody", () => {
  const hiccup = from(30, (metric, since) =>
    metric.of === deliverer && since < 5 ? calls(metric, "Errors") : undefined,
  );
  expect(reported(small, hiccup)).toEqual([]);
  const letters = from(30, ({ name }) => (name === "DeadLetters" ? 5 : undefined));
  expect(reported(small, letters)).toEqual([]);
});

test("a second actor that falls ill while the first one is has a message of its own", () => {
  const queues = ["reviewer", "slow"].map(names.actorQueue);
  const messages = reported(
    small,
    from(30, (metric, since) => {
      if (metric.of === queues[0]) return ages(metric, since);
      return metric.of === queues[1] ? ages(metric, Math.max(0, since - 90)) : undefined;
    }),
    6 * HOURS,
  );
  expect(messages.map(({ alarm }) => alarm)).toEqual([
    expect.stringMatching(/^actors-\d+$/),
    expect.stringMatching(/^actors-\d+$/),
  ]);
});

test("500 actors that are ill at once are one cause, and one message", () => {
  const all = from(30, (metric, since) =>
    metric.of.startsWith(names.actorPrefix) ? ages(metric, since) : undefined,
  );
  expect(reported(large, all).map(({ alarm }) => alarm)).toEqual(["actors-many"]);
});
