import type { Filter, OrgLoopEvent } from "@orgloop/sdk";
import { Reading } from "./event-path.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Decides over an event. */
export type EventTest = (event: OrgLoopEvent) => boolean;

/**
 * A route's filter as a test: every entry must hold. A scalar is v1alpha1's strict equality at
 * exactly that path; a list holds scalars and content operators, of which one must hold for one
 * leaf, and takes arrays apart, so that the conditions on one array hold for one element of it
 * together (`docs/configuration.md`, Filters). Throws `INVALID_FILTER`, `INVALID_PATH`.
 */
export function compileFilter(written: Filter): EventTest {
  const compiled = new Vocabulary().filter(written);
  return (event) => compiled.holds(new Reading(event));
}
