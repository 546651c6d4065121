import type { OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import type { Matcher, OnFault } from "./match.ts";

/** A matcher that answers for the event before without looking again. */
export function matchedOnce({ match }: Matcher): Matcher {
  let before: OrgLoopEvent | undefined;
  let routes: readonly RouteSpec[] = [];
  let faults: Parameters<OnFault>[] = [];
  return {
    match(event, onFault) {
      if (event !== before) {
        faults = [];
        routes = match(event, (...fault) => void faults.push(fault));
      }
      before = event;
      for (const fault of faults) onFault?.(...fault);
      return routes;
    },
  };
}
