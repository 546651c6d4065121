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
