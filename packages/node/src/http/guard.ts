import { createHash, timingSafeEqual } from "node:crypto";
import { foreignPage } from "@orgloop/engine";
import type { MiddlewareHandler } from "hono";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Refuses requests under a foreign name, and those that a foreign page makes a browser send (403):
 * a web page, also one whose name was rebound to 127.0.0.1, must neither read nor steer the
 * process. `GET /api/inbox/drain` takes events out, for one. Webhooks come through tunnels and
 * proxies under other names and do not pass here; their secret guards them.
 */
export function hostGuard(host: string): MiddlewareHandler {
  return async (c, next) => {
    const { hostname } = new URL(c.req.url);
    if (!LOOPBACK.has(hostname) && hostname !== host) {
      return c.json({ error: `"${hostname}" is not this host: use 127.0.0.1 or localhost` }, 403);
    }
    const page = foreignPage((name) => c.req.header(name));
    if (page !== null)
      return c.json({ error: `a web page sent this (${page.slice(0, 200)})` }, 403);
    return next();
  };
}

/** Wants `Authorization: Bearer TOKEN` (401); takes the same time whatever is wrong with it. */
export function tokenGuard(token: string): MiddlewareHandler {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const expected = digest(token);
  return async (c, next) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    if (token === "" || !timingSafeEqual(digest(given ?? ""), expected)) {
      c.header("www-authenticate", "Bearer");
      return c.json({ error: "the bearer token of $ORGLOOP_HOME/token is wanted" }, 401);
    }
    return next();
  };
}
