import { expect, test } from "vitest";
import { mergeMetrics } from "./merge-metrics.ts";

const text = (value: number) => `# HELP process_cpu CPU
# TYPE process_cpu counter
process_cpu ${value}

# HELP orgloop_uptime_seconds Up
# TYPE orgloop_uptime_seconds gauge
orgloop_uptime_seconds ${value}

# HELP orgloop_events_routed_total Routed
# TYPE orgloop_events_routed_total counter
orgloop_events_routed_total{route="a b",connector="c"} ${value}
`;

test("samples say whose they are; the process's own stand once", () => {
  const merged = mergeMetrics([
    { module: "acme", text: text(1) },
    { module: 'o"ther', text: text(2) },
  ]);
  expect(merged).toBe(`# HELP process_cpu CPU
# TYPE process_cpu counter
process_cpu 1

# HELP orgloop_uptime_seconds Up
# TYPE orgloop_uptime_seconds gauge
orgloop_uptime_seconds{module="acme"} 1
orgloop_uptime_seconds{module="o\\"ther"} 2

# HELP orgloop_events_routed_total Routed
# TYPE orgloop_events_routed_total counter
orgloop_events_routed_total{module="acme",route="a b",connector="c"} 1
orgloop_events_routed_total{module="o\\"ther",route="a b",connector="c"} 2
`);
});
