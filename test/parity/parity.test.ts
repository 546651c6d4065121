import { describe, expect, test } from "vitest";
import { runFunctions } from "./functions-host.ts";
import { INBOX } from "./inbox-scenarios.ts";
import { OUTAGE } from "./outage-scenarios.ts";
import { POLICY } from "./policy-scenarios.ts";
import { runProcess } from "./process-host.ts";
import { REPEATS } from "./repeat-scenarios.ts";
import { ROUTING } from "./routing-scenarios.ts";
import { SCHEMAS } from "./schema-scenarios.ts";

describe.each([...ROUTING, ...POLICY, ...OUTAGE, ...INBOX, ...REPEATS, ...SCHEMAS])(
  "$name",
  (scenario) => {
    test("in the single process", async () => {
      expect(await runProcess(scenario)).toEqual(scenario.expect);
    });

    if (scenario.only === undefined) {
      test("through the functions", async () => {
        expect(await runFunctions(scenario)).toEqual(scenario.expect);
      });
    }
  },
);
