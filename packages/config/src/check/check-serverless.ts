import { type DocumentPath, valueAt } from "@orgloop/engine";
import { DURATION_PATTERN, parseDuration } from "@orgloop/sdk";
import { at, type LinkedDeclarations } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import { placed } from "../resolve/layer.ts";
import type { Scope } from "../resolve/scope.ts";
import type { Layer, SourceDocument } from "../resolve/source-document.ts";
import { checkReach } from "./check-reach.ts";
import { checkTransformTimes } from "./check-transform-times.ts";
import { MAX_INBOX_TTL, MAX_TRANSFORM_MS } from "./serverless-limits.ts";

/** EventBridge Scheduler ticks once a minute at most. */
const MIN_INTERVAL = "1m";
/** A Lambda lives 15 minutes; the rest is for settling. */
const MAX_TIMEOUT = "14m";
/**
 * The bound of an SQS queue is kept by those who receive: nothing can hold a sender back, or refuse
 * the newest.
 */
const OVERFLOWS = ["block", "drop_newest"];

/**
 * What these do stays on the machine, and a function's is gone after the call. The console's lines
 * are in the function's log.
 */
const LOCAL = ["exec", "file"].map((name) => `@orgloop/connector-${name}`);

const msOf = (value: unknown): number =>
  typeof value === "string" && DURATION_PATTERN.test(value) ? parseDuration(value) : Number.NaN;

/** What is wrong with a value on `sqs`; undefined where nothing is. */
function problemOf(key: string, value: unknown): string | undefined {
  if (key === "interval" && msOf(value) < parseDuration(MIN_INTERVAL)) {
    return `on sqs sources are polled every ${MIN_INTERVAL} at most: found ${value}`;
  }
  if (key === "timeout" && msOf(value) > parseDuration(MAX_TIMEOUT)) {
    return `on sqs one attempt takes ${MAX_TIMEOUT} at most: found ${value}`;
  }
  if (key === "overflow" && OVERFLOWS.includes(String(value))) {
    return `on sqs only drop_oldest is possible: found ${value}`;
  }
  if (key === "inbox_ttl" && msOf(value) > parseDuration(MAX_INBOX_TTL)) {
    return `on sqs an inbox keeps an event for ${MAX_INBOX_TTL} at most: found ${value}`;
  }
  if (key === "timeout_ms" && Number(value) > MAX_TRANSFORM_MS) {
    return `on sqs a transform takes ${MAX_TRANSFORM_MS} ms with one event at most: found ${value}`;
  }
  return undefined;
}

/** One delivery at a time is one message group there: exact, and everything waits for its head. */
function warnOfOneAtATime(routes: LinkedDeclarations["route"], findings: Findings): void {
  for (const route of routes) {
    for (const path of [
      ["then", "delivery", "concurrency"],
      ["delivery", "concurrency"],
    ]) {
      if (valueAt(route.value, path) !== 1) continue;
      // In order by route they wait for each other anyway.
      if (valueAt(route.value, [...path.slice(0, -1), "order"]) === "route") continue;
      const message =
        "on sqs, with concurrency: 1 the keys of this route wait for each other: a delivery that is held or tried again keeps all behind it waiting; with 2 and more each key goes on by itself";
      findings.warnings.push({ ...at(route, path), code: "not-serverless", message });
    }
  }
}

/** Whether the bus is `sqs`. */
export function isServerless(settings: readonly SourceDocument[]): boolean {
  const bus = settings.map(({ value }) => valueAt(value, ["bus"])).find((one) => one !== undefined);
  return (valueAt(bus, ["url"]) ?? bus) === "sqs";
}

/**
 * What a process can do and the serverless host cannot (`docs/configuration.md`, AWS): errors where
 * the bus is `sqs`.
 */
export function checkServerless(
  settings: readonly SourceDocument[],
  declarations: LinkedDeclarations,
  findings: Findings,
): void {
  if (!isServerless(settings)) return;
  checkReach(settings, declarations, findings);
  checkTransformTimes(declarations, findings);
  const check = (place: Layer, key: string, value: unknown) => {
    const message = problemOf(key, value);
    const whole = { ...place, at: "value", code: "not-serverless" } as const;
    if (message !== undefined) findings.errors.push({ ...whole, message });
  };

  /** What the defaults say at `path`, for the items of which some do not say it themselves. */
  const checkDefaults = (scopes: ReadonlySet<Scope>, path: DocumentPath, key: string) => {
    for (const { defaults } of scopes) {
      const [first, ...rest] = defaults;
      if (first === undefined) continue;
      const place = placed([first, ...rest], path);
      check(place, key, valueAt(place.document.value, place.path));
    }
  };

  const sources = declarations.source.filter(({ enabled }) => enabled);
  const routes = declarations.route.filter(({ enabled }) => enabled);
  const silent = sources.filter(({ value }) => valueAt(value, ["poll", "interval"]) === undefined);
  checkDefaults(new Set(silent.map(({ scope }) => scope)), ["poll_interval"], "interval");
  for (const key of ["timeout", "overflow"]) {
    checkDefaults(new Set(routes.map(({ scope }) => scope)), ["delivery", key], key);
  }
  for (const actor of declarations.actor.filter(({ enabled }) => enabled)) {
    const connector = valueAt(actor.value, ["connector"]);
    if (!LOCAL.includes(String(connector))) continue;
    const message = `on sqs nothing that ${connector} leaves on its machine lasts: give the workspace's "${actor.name}" another connector, e.g. @orgloop/connector-eventbridge`;
    findings.warnings.push({ ...at(actor, ["connector"]), code: "not-serverless", message });
  }
  for (const transform of declarations.transform.filter(({ enabled }) => enabled)) {
    const path = ["timeout_ms"];
    check(at(transform, path), "timeout_ms", valueAt(transform.value, path));
  }
  for (const source of sources) {
    const path = ["poll", "interval"];
    check(at(source, path), "interval", valueAt(source.value, path));
  }
  warnOfOneAtATime(routes, findings);
  for (const route of routes) {
    const ttl = ["then", "config", "inbox_ttl"];
    check(at(route, ttl), "inbox_ttl", valueAt(route.value, ttl));
    for (const key of ["timeout", "overflow"]) {
      for (const path of [
        ["delivery", key],
        ["then", "delivery", key],
      ] as DocumentPath[]) {
        check(at(route, path), key, valueAt(route.value, path));
      }
    }
  }
}
