import type { Topology } from "@orgloop/sdk";
import { deliveryConcurrency, MIN_INVOCATIONS } from "./delivery-concurrency.ts";

/** Functions that write the record at a time: SQS gives a mapping no less. */
export const HISTORIANS = 2;
/** What an account has where nothing was raised; `aws.concurrency` says otherwise. */
export const DEFAULT_CONCURRENCY = 1_000;
/**
 * Lambda keeps so much for functions without a reservation (AWS, Configuring reserved concurrency):
 * for pollers, sweeper and whatever else there is.
 */
export const UNRESERVED = 100;

/** What is shared out, and among whom. */
export interface Bulkheads {
  /** Invocations of each actor's deliver function at a time, by the actor. */
  readonly shares: ReadonlyMap<string, number>;
  /** The least that the stage can do with: below it a deploy is refused. */
  readonly least: number;
  /** What the account has for it. */
  readonly concurrency: number;
}

/**
 * Parts of what actors want that they get: steps, so that another actor changes the shares of the
 * others seldom.
 */
const STEPS = [1, 3 / 4, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8, 3 / 32, 1 / 16, 1 / 32, 1 / 64, 0];

/**
 * Shares a stage's concurrency out among its actors, so that those that are slow do not take it all
 * from the rest: each gets at least 2, and by what its routes want, the same part of it.
 */
export function bulkheads(
  { routes, aws }: Pick<Topology, "routes" | "aws">,
  actors: readonly string[],
  reserved: number,
): Bulkheads {
  const concurrency = aws?.concurrency ?? DEFAULT_CONCURRENCY;
  const widest = widestRoutes(routes);
  const wanted = actors.map(
    (id) => [id, deliveryConcurrency(widest.get(id) ?? 0).invocations] as const,
  );
  const kept = reserved + UNRESERVED + HISTORIANS;
  const sharesAt = (step: number) =>
    wanted.map(
      ([id, invocations]) =>
        [id, Math.max(MIN_INVOCATIONS, Math.floor(invocations * step))] as const,
    );
  const fits = (step: number) =>
    sharesAt(step).reduce((sum, [, share]) => sum + share, 0) + kept <= concurrency;
  return {
    shares: new Map(sharesAt(STEPS.find(fits) ?? 0)),
    least: MIN_INVOCATIONS * actors.length + kept,
    concurrency,
  };
}

/** Attempts in flight to each actor, as its routes allow. */
function widestRoutes(routes: Topology["routes"]): ReadonlyMap<string, number> {
  const widest = new Map<string, number>();
  for (const { then, delivery } of routes) {
    widest.set(then.actor, Math.max(widest.get(then.actor) ?? 0, delivery.concurrency));
  }
  return widest;
}

/** Why a stage does not fit into its concurrency, and what to ask for; null: it does. */
export function bulkheadRefusal({ least, concurrency }: Bulkheads): string | null {
  if (least <= concurrency) return null;
  return `the stage needs ${least} concurrent executions of Lambda at the least (${MIN_INVOCATIONS} an actor, what is reserved, and ${UNRESERVED} that Lambda keeps back), and aws.concurrency is ${concurrency}: have the account's quota "Concurrent executions" (lambda, L-B99A9384) raised, and write what it is then`;
}
