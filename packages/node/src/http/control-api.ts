import { parseInjected } from "@orgloop/engine";
import { hasCode, messageOf } from "@orgloop/sdk";
import { Hono } from "hono";
import type { Ingest } from "../intake/ingest.ts";
import type { ProcessStatus } from "../telemetry/status.ts";
import { incomingOf, readBody } from "./read-body.ts";

export interface ControlApiOptions {
  readonly status: () => ProcessStatus;
  /** Looks whether what keeps it from taking events is over. */
  readonly look: () => Promise<void>;
  readonly ingest: Ingest;
  /** Of these variables those that are not set for the project: in its environment or `.env`. */
  readonly unsetOf: (names: readonly string[]) => readonly string[];
  /** Begins to drain, after the answer has gone. */
  readonly shutdown: () => void;
  /** `/topology`, `/queues` and `/apply`. */
  readonly configuration: Hono;
  /** Mounted at `/events`. */
  readonly events: Hono;
  /** Mounted at `/replay`. */
  readonly replay: Hono;
  /** Mounted at `/dead-letters`. */
  readonly deadLetters: Hono;
  /** How long an injection waits where too much is undelivered. */
  readonly roomWaitMs: number;
  /** Bytes of one body. */
  readonly bodyLimit: number;
  /** Aborted when intake stops. */
  readonly stop: AbortSignal;
}

/**
 * Steering, mounted at `/control` behind the token (`docs/commands.md`, HTTP; v1alpha1, section
 * 10).
 */
export function controlApi(options: ControlApiOptions): Hono {
  const { status, ingest, shutdown, roomWaitMs, bodyLimit, stop } = options;
  const api = new Hono();
  api.get("/status", async (c) => {
    await options.look();
    return c.json(status());
  });
  // Names only: a value is told to nobody.
  api.get("/variables", (c) => c.json({ unset: options.unsetOf(c.req.queries("name") ?? []) }));
  api.post("/inject", async (c) => {
    if (stop.aborted) {
      return c.json({ error: "the process is stopping" }, 503, { "retry-after": "5" });
    }
    const { bytes } = await readBody(incomingOf(c), bodyLimit);
    let drafts: ReturnType<typeof parseInjected>;
    try {
      drafts = parseInjected(bytes);
    } catch (error) {
      if (!hasCode(error, "NUMBER_OUT_OF_RANGE")) return c.json({ error: messageOf(error) }, 400);
      return c.json({ error: `${error.code}: ${error.message}`, code: error.code }, 400);
    }
    try {
      const patience = (): AbortSignal => AbortSignal.any([stop, AbortSignal.timeout(roomWaitMs)]);
      const { events } = await ingest(drafts, "inject", patience);
      return c.json({ ok: true, event_ids: events.map((event) => event.id) });
    } catch (error) {
      return c.json({ error: `not kept: ${messageOf(error)}` }, 503, { "retry-after": "5" });
    }
  });
  api.route("/", options.configuration);
  api.route("/events", options.events);
  api.route("/replay", options.replay);
  api.route("/dead-letters", options.deadLetters);
  api.post("/shutdown", (c) => {
    setImmediate(shutdown);
    return c.json({ ok: true });
  });
  return api;
}
