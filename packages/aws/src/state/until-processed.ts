import { setTimeout as sleep } from "node:timers/promises";
import { OrgLoopError } from "@orgloop/sdk";

const MAX_TRIES = 8;
const FIRST_DELAY_MS = 50;

/**
 * Repeats a batch call with what it left unprocessed, with growing pauses (AWS, BatchWriteItem: it
 * takes what the table's capacity lets through). Throws `TABLE_THROTTLED` where some is left for
 * good.
 */
export async function untilProcessed<Request>(
  table: string,
  requests: readonly Request[],
  /** Gives what is left. */
  call: (requests: Request[]) => Promise<readonly Request[]>,
): Promise<void> {
  let left: readonly Request[] = requests;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (tries > 0) await sleep(FIRST_DELAY_MS * 2 ** (tries - 1) * Math.random());
    left = await call([...left]);
    if (left.length === 0) return;
  }
  throw new OrgLoopError(
    "TABLE_THROTTLED",
    `${table} took ${requests.length - left.length} of ${requests.length} requests in ${MAX_TRIES} tries: try again later`,
  );
}
