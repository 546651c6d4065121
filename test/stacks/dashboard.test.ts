import { readFileSync } from "node:fs";
import path from "node:path";
import { METRICS } from "@orgloop/aws/plan";
import { dashboardBody, dashboardSvg } from "@orgloop/stacks";
import { expect, test } from "vitest";

const body = dashboardBody({ stage: "production", project: "acme", region: "eu-west-1" });

test("the README's picture is the dashboard that is deployed (node stacks/scripts/render-dashboard.ts)", () => {
  const file = path.resolve(import.meta.dirname, "../../docs/dashboard.svg");
  expect(readFileSync(file, "utf8")).toBe(dashboardSvg());
});

test("it shows every metric that the functions write, and each widget has its place", () => {
  const text = JSON.stringify(body);
  for (const metric of Object.values(METRICS)) expect(text).toContain(`"${metric}"`);
  const cells = body.widgets.flatMap(({ x, y, width, height }) =>
    Array.from(
      { length: width * height },
      (_, at) => `${x + (at % width)},${y + Math.floor(at / width)}`,
    ),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { x, width } of body.widgets) expect(x + width).toBeLessThanOrEqual(24);
});

test("what an expression asks for is there, under an id of its own", () => {
  const widgets = body.widgets as readonly { properties: { metrics?: readonly unknown[][] } }[];
  for (const { properties } of widgets) {
    const options = (properties.metrics ?? []).map((metric) => Object(metric.at(-1)));
    const ids = options.flatMap(({ id }) => (id === undefined ? [] : [String(id)]));
    expect(new Set(ids).size).toBe(ids.length);
    for (const { expression = "" } of options) {
      for (const [, id] of String(expression).matchAll(/FILL\((\w+), 0\)/g))
        expect(ids).toContain(id);
    }
  }
  // CloudWatch takes 100 metrics and expressions a widget (AWS, PutDashboard).
  expect(JSON.stringify(body).length).toBeLessThan(1_000_000);
});

const metricsOf = (widgets: readonly unknown[]) =>
  (
    widgets as readonly { properties: { title?: string; metrics?: readonly unknown[][] } }[]
  ).flatMap(({ properties }) => properties.metrics ?? []);

test("what DynamoDB refuses is asked for by operation: without, it never draws", () => {
  const refused = metricsOf(body.widgets).filter((metric) => metric[1] === "ThrottledRequests");
  expect(refused.length).toBeGreaterThan(5);
  for (const metric of refused) expect([metric[2], metric[4]]).toEqual(["TableName", "Operation"]);
});

test("it shows alarms, who is ill by name, and what to do, with the place in the runbook", () => {
  const of = (type: string) => body.widgets.filter((widget) => widget.type === type);
  const [alarms] = of("alarm") as unknown as { properties: { alarms: string[] } }[];
  expect(alarms?.properties.alarms.length).toBeGreaterThan(5);
  const queries = of("log").map(({ properties }) => (properties as { query: string }).query);
  for (const query of queries) expect(query).toMatch(/^SOURCE '\/aws\/lambda\/orgloop-production-/);
  expect(queries.join()).toContain('phase = "alert"');
  const runbook = readFileSync(
    path.resolve(import.meta.dirname, "../../docs/aws/alarms.md"),
    "utf8",
  );
  const links = [...JSON.stringify(of("text")).matchAll(/docs\/aws\/alarms\.md#([\w-]+)/g)];
  expect(links.length).toBeGreaterThan(6);
  for (const [, anchor] of links) expect(runbook).toContain(`\n## ${anchor}\n`);
});

test("actors are sorted by the age of their oldest, breakers counted as they stand", () => {
  const text = JSON.stringify(body);
  expect(text).toMatch(/SORT\(SEARCH\('[^']*ApproximateAgeOfOldestMessage/);
  expect(text).toContain('"BreakersOpen"');
  for (const metric of ["Throttles", "ClaimedAccountConcurrency", "ConcurrentExecutions"]) {
    expect(text).toContain(metric);
  }
});
