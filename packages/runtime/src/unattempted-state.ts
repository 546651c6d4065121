import type { AttemptState } from "@orgloop/core";

/** Of a delivery that is given up because the process has ended `deaths` times during its attempts. */
export function poisonState(before: AttemptState, deaths: number): AttemptState {
  const lastError = `the process ended ${deaths} times during its attempts`;
  return { ...before, attempts: deaths, firstError: lastError, lastError };
}

/** Of a delivery whose actor has never existed, and whose route is gone. */
export function neverCameState(before: AttemptState, route: string, actor: string): AttemptState {
  const lastError = `the route "${route}" was removed before there was an actor "${actor}"`;
  return { ...before, firstError: before.firstError ?? lastError, lastError };
}
