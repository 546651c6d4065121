import { holdsReference } from "@orgloop/engine";
import { DURATION_PATTERN } from "@orgloop/sdk";
import { at, type Declaration } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";

/**
 * What a route's inbox (v1alpha1, section 4) says without sense: it runs all the same, by the
 * defaults.
 */
export function inboxWarnings(routes: readonly Declaration<"route">[], findings: Findings): void {
  for (const route of routes) {
    const config = route.value.then.config ?? {};
    if (config.inbox !== true) continue;
    const warn = (key: string, message: string): void => {
      const path = ["then", "config", ...(Object.hasOwn(config, key) ? [key] : [])];
      findings.warnings.push({ ...at(route, path), code: "inbox", message });
    };
    const { session_key: key, inbox_ttl: ttl, inbox_max_batch: batch } = config;
    if (key === undefined || key === null || key === "") {
      warn("session_key", "an inbox without session_key: events go straight to the actor");
    }
    if (ttl !== undefined && !isOpen(ttl) && !DURATION_PATTERN.test(String(ttl))) {
      warn("inbox_ttl", `found ${JSON.stringify(ttl)}, expected a duration, e.g. 30m; 1h is taken`);
    }
    const count = Number(batch);
    if (batch !== undefined && !isOpen(batch) && !(Number.isInteger(count) && count > 0)) {
      warn(
        "inbox_max_batch",
        `found ${JSON.stringify(batch)}, expected a whole number above 0; 100 is taken`,
      );
    }
  }
}

/** Known only at run time. */
function isOpen(value: unknown): boolean {
  return typeof value === "string" && (holdsReference(value) || value.includes("{{"));
}
