import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Inbox } from "../inbox/inbox.ts";
import type { InboxBatch } from "../inbox/inbox-drains.ts";

/** Absent in tests that have no connection. */
type Env = { Bindings: Partial<HttpBindings> };

/** How long an answer may take before another drain may get the same. */
const LEASE_MS = 60_000;

/**
 * v1alpha1's inboxes, mounted at `/api/inbox` (section 10). A drain is a GET that removes: what it
 * answers is removed when the answer has gone out whole, so that a broken connection loses nothing;
 * the same may come twice then. A foreign page in a browser is refused before it comes here
 * (`hostGuard`).
 */
export function inboxApi(inbox: Inbox): Hono {
  const api = new Hono<Env>();
  api.get("/drain", async (c) => {
    const key = c.req.query("session_key");
    const limit = c.req.query("limit");
    if (key === undefined || key === "") return missingKey(c);
    const most = limit === undefined ? undefined : Number(limit);
    if (most !== undefined && !(Number.isInteger(most) && most > 0)) {
      return c.json({ error: `limit: found "${limit}", expected a whole number above 0` }, 400);
    }
    if (c.req.method !== "GET") return c.json({ error: "expected GET" }, 405, { allow: "GET" });
    const batch = await inbox.drain(key, most);
    settleWithAnswer(c, batch);
    const { events, remaining, continuation } = batch;
    return c.json({ events, remaining, continuation });
  });
  api.get("/status", async (c) => {
    const key = c.req.query("session_key");
    if (key === undefined || key === "") return missingKey(c);
    return c.json({ pending: await inbox.pending(key) });
  });
  api.get("/list", async (c) => {
    const sessions = await inbox.sessions();
    return c.json({
      sessions: sessions.map(({ session_key: sessionKey, pending }) => ({ sessionKey, pending })),
    });
  });
  return api as unknown as Hono;
}

function missingKey(c: Context) {
  return c.json({ error: "Missing required parameter: session_key" }, 400);
}

function settleWithAnswer({ env }: Context<Env>, batch: InboxBatch): void {
  const { outgoing } = env;
  // Who does not read on must not keep the events from others.
  const lease = setTimeout(() => batch.keep(), LEASE_MS);
  lease.unref();
  const end = (): void => {
    clearTimeout(lease);
    if (outgoing === undefined || outgoing.writableFinished) void batch.done();
    else batch.keep();
  };
  if (outgoing === undefined || outgoing.destroyed) end();
  else outgoing.once("close", end);
}
