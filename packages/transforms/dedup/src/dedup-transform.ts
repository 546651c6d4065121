import { hash } from "node:crypto";
import {
  type ClaimStore,
  getPath,
  type PluginContext,
  parseDuration,
  splitPath,
  type Transform,
} from "@orgloop/sdk";
import type { DedupConfig } from "./config.ts";
import { windowClaims } from "./window-claims.ts";

type DedupContext = Pick<PluginContext, "id" | "claims" | "now" | "monotonic" | "stateless">;

/**
 * Drops an event whose key another event claimed within the window (v1alpha1, section 5;
 * docs/decisions/0002). A key belongs to the event id that claimed it: the same event passes again,
 * so that a redelivery after a crash is not swallowed. A replay always passes: it was asked for,
 * and when its key was claimed says nothing about now; what was a duplicate then is not replayed by
 * the host. Keys of different transforms and of different routes are different keys.
 */
export function dedupTransform(
  config: DedupConfig,
  { id, claims, now, monotonic = now, stateless }: DedupContext,
): Transform {
  const paths = (config.key ?? config.fields ?? ["source", "type", "id"]).map(splitPath);
  const windowMs = parseDuration(config.window);
  const forgets = config.store === "memory" && stateless !== true;
  const store: ClaimStore = forgets ? windowClaims() : claims;
  return {
    inline: true,
    async execute(event, { route }) {
      if (event.replay !== undefined) return event;
      const values = paths.map((path) => textOf(getPath(event, path)));
      const key = hash("sha256", [id, route, ...values].join("\0"), "base64url");
      return (await store.claim(key, event.id, windowMs, monotonic())) ? event : null;
    },
  };
}

/** Objects and lists by their JSON: as text they would all be the same `[object Object]`. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
