import { compileMatcher, holdsReference, type Matcher } from "@orgloop/engine";
import type { RouteSpec } from "@orgloop/sdk";

/**
 * Which routes may take a recorded event, as told where no secrets are: one whose filter holds a
 * reference may take all that its source and type let through, and the router decides. Throws
 * `INVALID_FILTER`.
 */
export function recordedMatcher(routes: readonly RouteSpec[]): Matcher {
  return compileMatcher(
    routes.map(({ when: { filter = {}, ...when }, ...route }) => ({
      ...route,
      when: holdsReference(JSON.stringify(filter)) ? when : { ...when, filter },
    })),
  );
}
