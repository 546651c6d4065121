import { type Clock, callAt, type Router } from "@orgloop/engine";
import { messageOf } from "@orgloop/sdk";
import type { HideMessages } from "../delivery/deliver-batch.ts";
import {
  type BatchResponse,
  groupsOf,
  type ReceivedMessage,
  receivesOf,
  responseOf,
} from "../queue/received-message.ts";
import type { SourceGroupings } from "../state/source-groupings.ts";
import { type RoutingPorts, routeMessage } from "./route-message.ts";
import { type Routed, type SendRoutedOptions, sendRouted } from "./send-routed.ts";
import type { SentBatch } from "./sent-batch.ts";

export interface RouteBatchOptions extends RoutingPorts, SendRoutedOptions {
  /** The router of an invocation, whose transforms end when `abandon` is aborted. */
  readonly routerFor: (abandon: AbortSignal) => Promise<Router>;
  readonly groupings: Pick<SourceGroupings, "settle">;
  readonly busUrl: string;
  readonly hide: HideMessages;
}

/** Left for sending, recording and answering. */
const MARGIN_MS = 5_000;
/**
 * How soon a group that failed is tried again: doubled with each receive, up to the queue's own
 * time.
 */
const FIRST_RETRY_S = 2;
const LONGEST_RETRY_S = 180;

/**
 * Routes a batch of the bus: every event, then what is to be delivered goes to the actors' queues
 * and what happened to the history's; only then is it settled. After the first event of a group
 * that has to come again, the later ones of that group come again too; what was accepted of them is
 * remembered, so that no healthy actor hears of it twice.
 */
export async function routeBatch(
  records: readonly ReceivedMessage[],
  remainingMs: () => number,
  options: RouteBatchOptions,
): Promise<BatchResponse> {
  const { clock, flow } = options;
  const abandon = new AbortController();
  const endMs = clock.now() + Math.max(0, remainingMs() - MARGIN_MS);
  const cancel = callAt(clock, endMs, () => abandon.abort());
  const failed = new Set<ReceivedMessage>();
  const accepted: SentBatch["accepted"] = new Map();
  const routed: Routed[] = [];
  const groups = groupsOf(records);
  try {
    const [router, refusing] = await Promise.all([
      options.routerFor(abandon.signal),
      options.refusing.load(),
    ]);
    const routing = routeGroups(groups, failed, router, abandon.signal, options);
    for await (const ready of inWaves(routing, clock)) {
      routed.push(...ready);
      await sendRouted(ready, { refusing, failed, accepted }, options);
    }
    await settleGroupings(routed, behindFailed(groups, failed), failed, options);
    flow.count("routed", records.length - behindFailed(groups, failed).size);
  } catch (error) {
    flow.log({ phase: "system.error", error: messageOf(error) });
    for (const record of records) failed.add(record);
  } finally {
    cancel();
  }
  const returned = behindFailed(groups, failed);
  await keepAccepted(routed, returned, accepted, options);
  await hideReturned(groups, returned, options);
  return responseOf(records.filter((record) => returned.has(record)));
}

function routeGroups(
  groups: readonly (readonly ReceivedMessage[])[],
  failed: Set<ReceivedMessage>,
  router: Router,
  abandon: AbortSignal,
  options: RouteBatchOptions,
): readonly Promise<readonly Routed[]>[] {
  const routeGroup = async (group: readonly ReceivedMessage[]): Promise<Routed[]> => {
    const routed: Routed[] = [];
    for (const record of group) {
      try {
        if (abandon.aborted) throw new Error("the function's time is over");
        routed.push({ record, ...(await routeMessage(record, router, abandon, options)) });
      } catch (error) {
        options.flow.log({ phase: "system.error", error: messageOf(error) });
        failed.add(record);
        break;
      }
    }
    return routed;
  };
  // What ended the function before is routed by itself, so that its neighbours are not taken for
  // it.
  const isSuspect = groups.flat().some((record) => receivesOf(record) > 1);
  if (!isSuspect) return groups.map(routeGroup);
  let last: Promise<unknown> = Promise.resolve();
  return groups.map((group) => {
    const routed = last.then(() => routeGroup(group));
    last = routed;
    return routed;
  });
}

/** What has failed, and all that came behind it in its group. */
function behindFailed(
  groups: readonly (readonly ReceivedMessage[])[],
  failed: ReadonlySet<ReceivedMessage>,
): ReadonlySet<ReceivedMessage> {
  return new Set(
    groups.flatMap((group) => {
      const first = group.findIndex((record) => failed.has(record));
      return first === -1 ? [] : group.slice(first);
    }),
  );
}

/** A source's mark counts when nothing that stood before it comes again. */
async function settleGroupings(
  routed: readonly Routed[],
  returned: ReadonlySet<ReceivedMessage>,
  failed: Set<ReceivedMessage>,
  { groupings, flow }: RouteBatchOptions,
): Promise<void> {
  for (const { record, regrouped } of routed) {
    if (regrouped === undefined || returned.has(record)) continue;
    try {
      await groupings.settle(regrouped, "key");
    } catch (error) {
      failed.add(record);
      flow.log({ phase: "system.error", source: regrouped, error: messageOf(error) });
    }
  }
}

/** What was accepted of events that come again. */
async function keepAccepted(
  routed: readonly Routed[],
  returned: ReadonlySet<ReceivedMessage>,
  accepted: SentBatch["accepted"],
  { accepted: store, flow }: RouteBatchOptions,
): Promise<void> {
  await Promise.all(
    routed.map(async ({ record, once }) => {
      const routes = accepted.get(record) ?? [];
      if (once === null || routes.length === 0 || !returned.has(record)) return;
      // Not remembered, SQS itself knows them for 5 minutes.
      await store
        .add(once, routes)
        .catch((error) =>
          flow.log({ phase: "system.error", error: `accepted: ${messageOf(error)}` }),
        );
    }),
  );
}

async function hideReturned(
  groups: readonly (readonly ReceivedMessage[])[],
  returned: ReadonlySet<ReceivedMessage>,
  { hide, busUrl, flow }: RouteBatchOptions,
): Promise<void> {
  await Promise.all(
    groups.map(async (group) => {
      const rest = group.filter((record) => returned.has(record));
      const [head] = rest;
      if (head === undefined) return;
      const seconds = Math.min(FIRST_RETRY_S * 2 ** receivesOf(head), LONGEST_RETRY_S);
      const handles = rest.map(({ receiptHandle }) => receiptHandle);
      await hide(busUrl, handles, seconds).catch((error) =>
        flow.log({ phase: "system.error", error: `not hidden: ${messageOf(error)}` }),
      );
    }),
  );
}

/** How long what is ready waits for the rest, so that most batches are sent as one. */
const WAVE_MS = 200;

/**
 * What comes of `tasks`, which must not reject: what is ready together comes together, and nothing
 * waits for one that takes long.
 */
export async function* inWaves<Item>(
  tasks: readonly Promise<readonly Item[]>[],
  clock: Clock,
): AsyncGenerator<readonly Item[]> {
  let ready: (readonly Item[])[] = [];
  const all = Promise.all(
    tasks.map(async (task, at) => {
      const items = await task;
      ready[at] = items;
    }),
  ).then(() => true);
  for (let ended = false; !ended; ) {
    const wave = Promise.withResolvers<false>();
    const cancel = callAt(clock, clock.now() + WAVE_MS, () => wave.resolve(false));
    ended = await Promise.race([all, wave.promise]);
    cancel();
    // In the order of the tasks, whichever was first; some are not there yet.
    const items = ready.flat();
    ready = [];
    if (items.length > 0) yield items;
  }
}
