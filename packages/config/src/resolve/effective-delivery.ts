import { holdsReference } from "@orgloop/engine";
import { DEFAULT_MAX_RETRY_AFTER, type DeliverySpec, isMapping, parseDuration } from "@orgloop/sdk";
import type { DeliveryInput } from "../schema/delivery-schema.ts";

const RETRY: DeliverySpec["retry"] = {
  max_attempts: 3,
  backoff: "exponential",
  initial_delay: "1s",
  max_delay: "60s",
  max_retry_after: DEFAULT_MAX_RETRY_AFTER,
  jitter: "full",
};

const CIRCUIT_BREAKER = { failure_threshold: 5, cooldown: "30s", max_cooldown: "15m" } as const;

const DELIVERY = {
  burst: 1,
  overflow: "drop_oldest",
  timeout: "30s",
  order: "key",
  concurrency: 16,
} as const;

/**
 * `over` laid over `base`, mappings key by key. Neither is changed; what is `undefined` in `over`
 * counts as absent.
 */
export function mergeDeep(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isMapping(base) || !isMapping(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = mergeDeep(base[key], value);
  return merged;
}

/** What a route asks for: its own `delivery` over `defaults.delivery`. */
export function mergeDelivery(
  defaults: DeliveryInput | undefined,
  own: DeliveryInput | undefined,
): DeliveryInput {
  return (mergeDeep(defaults, own) ?? {}) as DeliveryInput;
}

const longer = (builtIn: string, atLeast: string) =>
  !holdsReference(atLeast) && parseDuration(atLeast) > parseDuration(builtIn) ? atLeast : builtIn;

/**
 * `asked` with every default filled in (`docs/configuration.md`, Defaults). A cap that is not
 * written is never below what it caps: v1alpha1 projects know a `cooldown` without a
 * `max_cooldown`.
 */
export function effectiveDelivery(asked: DeliveryInput): DeliverySpec {
  const { retry, circuit_breaker, ...rest } = asked;
  const initial = retry?.initial_delay ?? RETRY.initial_delay;
  const spec = {
    ...DELIVERY,
    ...rest,
    retry: { ...RETRY, max_delay: longer(RETRY.max_delay, initial), ...retry },
    circuit_breaker:
      circuit_breaker === false
        ? (false as const)
        : {
            ...CIRCUIT_BREAKER,
            max_cooldown: longer(
              CIRCUIT_BREAKER.max_cooldown,
              circuit_breaker?.cooldown ?? CIRCUIT_BREAKER.cooldown,
            ),
            ...circuit_breaker,
          },
  };
  return spec as DeliverySpec;
}

/** The pairs of which the second must not be shorter than the first. */
const CAPS = [
  ["retry", "initial_delay", "max_delay"],
  ["circuit_breaker", "cooldown", "max_cooldown"],
] as const;

/** Caps below what they cap, in `asked`: the paths of both and what to say. */
export function cappedTooLow(
  asked: DeliveryInput,
): { block: string; low: string; cap: string; message: string }[] {
  const found = [];
  for (const [block, low, cap] of CAPS) {
    const policy = asked[block] as Record<string, unknown> | false | undefined;
    if (!policy) continue;
    const least = policy[low];
    const most = policy[cap];
    if (ms(least) > ms(most)) {
      const message = `${cap} ${most} is shorter than ${low} ${least}`;
      found.push({ block, low, cap, message });
    }
  }
  return found;
}

/** NaN for what is no duration: it compares as false with everything. */
function ms(value: unknown): number {
  try {
    return typeof value === "string" ? parseDuration(value) : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
