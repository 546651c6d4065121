import { textOf, timeOf } from "@orgloop/engine";
import { OrgLoopError } from "@orgloop/sdk";
import { Hono } from "hono";
import type { EventReplays } from "../replay/event-replays.ts";
import { answerError } from "./dead-letters-api.ts";
import { readJson } from "./read-json.ts";

export interface ReplayApiOptions {
  readonly replays: EventReplays;
  /** Names of those that run now. */
  readonly routes: () => { has(name: string): boolean };
  readonly stop: AbortSignal;
}

/**
 * `POST /control/replay`: re-routes recorded events. JSON: `events` (ids) or `since` (then also
 * `until`), `source`, `route`, `rate`, `dry_run`.
 */
export function replayApi({ replays, routes, stop }: ReplayApiOptions): Hono {
  const api = new Hono();
  api.onError(answerError);
  api.post("/", async (c) => {
    const body = await readJson(c);
    const { events, dry_run } = body;
    const { route, rate, since, until, source } = {
      ...textOf(body, "route"),
      ...textOf(body, "rate"),
      ...textOf(body, "source"),
      ...timeOf(body, "since"),
      ...timeOf(body, "until"),
    };
    if (events === undefined && since === undefined) {
      throw new OrgLoopError("INVALID_FILTER", "expected `events` or `since`");
    }
    if (events !== undefined && !isTexts(events)) {
      throw new OrgLoopError("INVALID_FILTER", "events: expected a list of ids");
    }
    if (route !== undefined && !routes().has(route)) {
      throw new OrgLoopError("INVALID_FILTER", `there is no route "${route}"`);
    }
    const dryRun = dry_run === true;
    if (stop.aborted && !dryRun) {
      return c.json({ error: "the process is stopping" }, 503, { "retry-after": "5" });
    }
    const answer = await replays.start({
      dryRun,
      ...(events !== undefined && { ids: new Set(events) }),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      ...(source !== undefined && { source }),
      ...(route !== undefined && { route }),
      ...(rate !== undefined && { rate }),
    });
    return c.json(answer);
  });
  return api;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
