import fc from "fast-check";
import { expect, test } from "vitest";
import { awsNames, stageName } from "./aws-names.ts";

const workspace = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/);
const id = fc.oneof(
  fc.stringMatching(/^[a-z0-9-]{1,30}(\/[a-z0-9-]{1,80})?$/),
  fc.string({ minLength: 1, unit: "grapheme" }),
);

/** The functions whose names come from an id, with their limit and alphabet. */
const NAMED = {
  actorQueue: { limit: 80, form: /^[A-Za-z0-9_-]+\.fifo$/ },
  actorDlq: { limit: 80, form: /^[A-Za-z0-9_-]+\.fifo$/ },
  deliverer: { limit: 64, form: /^[A-Za-z0-9_-]+$/ },
  poller: { limit: 64, form: /^[A-Za-z0-9_-]+$/ },
  schedule: { limit: 64, form: /^[A-Za-z0-9_-]+$/ },
} as const;
const kinds = Object.keys(NAMED) as (keyof typeof NAMED)[];

test("the names people read are the design's", () => {
  const names = awsNames("production");
  expect(names.bus).toBe("orgloop-production-bus.fifo");
  expect(names.table).toBe("orgloop-production-state");
  expect(names.actorQueue("platform/Review bot")).toBe(
    "orgloop-production-actor-platform-review-bot-5fdcee0f.fifo",
  );
  expect(names.actorDlq("platform/Review bot")).toBe(
    "orgloop-production-actor-platform-review-bot-5fdcee0f-dlq.fifo",
  );
  expect(names.bucket("123456789012", "eu-west-1")).toBe(
    "orgloop-production-123456789012-eu-west-1",
  );
});

test("every name is legal and within its limit, whatever the stage and the id", () => {
  fc.assert(
    fc.property(workspace, id, (stage, item) => {
      const names = awsNames(stage);
      for (const kind of kinds) {
        const { limit, form } = NAMED[kind];
        const name = names[kind](item);
        expect(name.length).toBeLessThanOrEqual(limit);
        expect(name).toMatch(form);
        expect(name).toMatch(/[0-9a-f]{8}(-dlq)?(\.fifo)?$/);
      }
      const { bus, busDlq, table, router, receiver, recorder, scheduleGroup, dashboard } = names;
      for (const name of [
        bus,
        busDlq,
        table,
        router,
        receiver,
        recorder,
        scheduleGroup,
        dashboard,
      ]) {
        expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,58}(\.fifo)?$/);
      }
      const bucket = names.bucket("123456789012", "ap-southeast-1");
      expect(bucket).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    }),
  );
});

test("different items have different names, in one stage and between stages", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(workspace, { minLength: 1, maxLength: 4 }),
      fc.uniqueArray(id, { minLength: 1, maxLength: 8 }),
      (stages, items) => {
        const all = stages.flatMap((stage) => {
          const names = awsNames(stage);
          const { bus, busDlq, table, router, receiver, recorder } = names;
          const fixed = [bus, busDlq, table, router, receiver, recorder];
          return [...fixed, ...items.flatMap((item) => kinds.map((kind) => names[kind](item)))];
        });
        expect(new Set(all).size).toBe(all.length);
      },
    ),
  );
});

test("no name of one stage begins with the actor prefix of another: a grant on it reaches no further", () => {
  fc.assert(
    fc.property(
      workspace,
      fc.oneof(workspace, fc.constantFrom("-actor", "-actor-x", "-2")),
      (left, tail) => {
        const right = `${left}${tail}`.slice(0, 63);
        if (right === left) return;
        expect(awsNames(right).prefix.startsWith(awsNames(left).actorPrefix)).toBe(false);
      },
    ),
  );
});

test("a stage stands in names as it is where it can", () => {
  expect(stageName("production-eu-west-1")).toBe("production-eu-west-1");
  expect(stageName("My_Stage")).toMatch(/^mystage-[0-9a-f]{8}$/);
  expect(stageName("prod-actor-x")).toMatch(/^prodactorx-[0-9a-f]{8}$/);
  expect(stageName("___")).toMatch(/^[0-9a-f]{8}$/);
});
