import type { ProcessStatus } from "@orgloop/node";
import { counted } from "../terminal/counted.ts";
import type { Check } from "./check.ts";

type Told = Pick<ProcessStatus, "routes" | "dead_letters" | "not_ready">;

/** What a running process says of its deliveries: what waits for somebody is degraded. */
export function checkDeliveries({ routes, dead_letters, not_ready }: Told): Check[] {
  const check = { category: "delivery" };
  const breakers = routes.flatMap(({ name, circuit, breaker }): Check[] => {
    if (circuit === "closed") return [];
    const { reason = null, next_probe_at } = breaker ?? {};
    const why = reason === null ? "" : `: ${reason}`;
    const next = next_probe_at === undefined ? "" : `; it is tried again at ${next_probe_at}`;
    const message = `the breaker is ${circuit}${why}${next}`;
    return [{ ...check, name: `route ${name}`, status: "degraded", message }];
  });
  return [
    ...(not_ready === null
      ? []
      : [{ ...check, name: "intake", status: "error", message: not_ready } as const]),
    ...(breakers.length > 0
      ? breakers
      : [{ ...check, name: "breakers", status: "ok", message: "all closed" } as const]),
    checkLetters(dead_letters),
  ];
}

/** Dead letters wait for somebody to replay or purge them. */
export function checkLetters(count: number): Check {
  const check = { category: "delivery", name: "dead letters" };
  return count === 0
    ? { ...check, status: "ok", message: "there are none" }
    : {
        ...check,
        status: "degraded",
        message: `${counted(count, "event")} given up: \`orgloop dead-letters list\` says why, \`orgloop dead-letters replay\` delivers them again`,
      };
}
