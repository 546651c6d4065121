import { valueAt } from "@orgloop/engine";
import { at, type Declaration, type LinkedDeclarations, placeOf } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import { MAX_TRANSFORM_MS, transformTimes } from "./serverless-limits.ts";

/** What the built-in ones do takes no time worth a word. */
const QUICK = ["filter", "enrich", "dedup"].map((name) => `@orgloop/transform-${name}`);
const TOGETHER = `on sqs the transforms of a route take ${MAX_TRANSFORM_MS} ms with one event at most, together`;

/**
 * On `sqs`, where the router has 30 s for what it took: an error where the transforms of a route
 * ask for more in all than they have, and a warning where one that says no `timeout_ms` has less
 * than one alone has; once for routes with the same transforms.
 */
export function checkTransformTimes(
  { route: routes, transform }: Pick<LinkedDeclarations, "route" | "transform">,
  findings: Findings,
): void {
  const byName = new Map(transform.map((one) => [one.name, one]));
  const warned = new Set<string>();
  for (const route of routes) {
    if (!route.enabled || route.links.transforms.length < 2) continue;
    const used = route.links.transforms.flatMap((name) => byName.get(name) ?? []);
    const written = used.map(timeoutOf);
    if (written.some((ms) => Number(ms) > MAX_TRANSFORM_MS)) continue;
    const times = transformTimes(written);
    const place = at(route, ["transforms"]);
    if (times === null) {
      const asked = used.map(({ name }, at) => `"${name}" ${written[at] ?? "(says none)"}`);
      const message = `${TOGETHER}: found ${asked.join(" + ")}`;
      findings.errors.push({ ...place, at: "value", code: "not-serverless", message });
      continue;
    }
    const silent = used.flatMap((one, at) =>
      written[at] === undefined ? { one, ms: times[at] } : [],
    );
    if (!silent.some(({ one }) => maybeSlow(one))) continue;
    const chain = used.map(placeOf).join();
    if (warned.has(chain)) continue;
    warned.add(chain);
    const names = silent.map(({ one }) => `"${one.name}"`).join(", ");
    const message = `${TOGETHER}: without a timeout_ms there is ${silent[0]?.ms} ms for each of ${names}`;
    findings.warnings.push({ ...place, at: "value", code: "transform-time", message });
  }
}

function timeoutOf({ value }: Declaration<"transform">): number | undefined {
  const ms = valueAt(value, ["timeout_ms"]);
  return typeof ms === "number" ? ms : undefined;
}

function maybeSlow({ value }: Declaration<"transform">): boolean {
  const { type, package: name = type } = value as {
    readonly type?: unknown;
    readonly package?: unknown;
  };
  return !QUICK.includes(String(name)) || valueAt(value, ["config", "jq"]) !== undefined;
}
