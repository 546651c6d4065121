import { sourceKey } from "@orgloop/aws/state";
import { beforeAll, expect, test } from "vitest";
import { SECRETS } from "./laws.ts";
import { smallFiles } from "./organisations.ts";
import { reachableItems } from "./reachable-items.ts";
import { loadTopology, type Synthesized, synthesize } from "./synthesize.ts";

let made: Synthesized;

beforeAll(async () => {
  made = synthesize(await loadTopology(smallFiles(), SECRETS));
});

/** What the keys of the table begin with that the role of a function may use. */
function leadingKeys(functionName: string): readonly string[] {
  const role = made
    .ofType("AWS::IAM::Role")
    .find((one) => JSON.stringify(one).includes(`log-group:/aws/lambda/${functionName}`));
  const statements = role?.Properties.Policies[0].PolicyDocument.Statement;
  return statements.flatMap(
    ({ Action, Condition }: { Action: string[]; Condition?: Record<string, object> }) =>
      [Action].flat().some((it) => it.startsWith("dynamodb:"))
        ? Object.values(Condition?.["ForAllValues:StringLike"] ?? { none: ["anything"] }).flat()
        : [],
  );
}

const FUNCTIONS = [
  ["poll", "orgloop-production-poll-octo", "functions/poll-function.ts"],
  ["receive", "orgloop-production-receive", "functions/receive-function.ts"],
  ["route", "orgloop-production-route", "functions/route-function.ts"],
  ["deliver", "orgloop-production-deliver-reviewer", "functions/deliver-function.ts"],
  ["sweep", "orgloop-production-sweep", "functions/sweep-function.ts"],
  ["record", "orgloop-production-record", "deploy/custom-resources.ts"],
] as const;

test.each(FUNCTIONS)(
  "%s: it may touch the items that its code can reach, and no other",
  (_, name, file) => {
    const kinds = leadingKeys(name).map((key) => key.slice(0, key.indexOf("#")));
    expect(kinds.length).toBeGreaterThan(0);
    expect(new Set(kinds)).toEqual(reachableItems(file));
  },
);

test("a poller moves the checkpoints of its own sources", () => {
  const keys = leadingKeys("orgloop-production-poll-octo").filter((key) =>
    key.startsWith("source"),
  );
  expect(keys).toEqual([sourceKey("octo").pk]);
});
