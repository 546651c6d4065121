import type { AttemptState, DeliveryPolicy } from "./delivery.ts";

/**
 * One death may have been a neighbour's, before anyone knew that the host does not survive one of
 * them.
 */
const MIN_POISON_DEATHS = 2;

/**
 * A delivery that is given up as `poison`, as its letter tells it: the host has died at its
 * attempts as often as it may be attempted, and twice at least. Null: it is not.
 */
export function poisonState(
  state: AttemptState,
  deaths: number,
  { retry }: Pick<DeliveryPolicy, "retry">,
  host: string,
): AttemptState | null {
  if (deaths < Math.max(retry.maxAttempts, MIN_POISON_DEATHS)) return null;
  const lastError = `the ${host} ended ${deaths} times during its attempts`;
  return { ...state, attempts: deaths, firstError: state.firstError ?? lastError, lastError };
}
