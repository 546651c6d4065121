import type { FifoMessage, SqsSender } from "@orgloop/bus/sqs";
import type { Delivery, RecordedLine, Router } from "@orgloop/core";
import { type Clock, callAt } from "@orgloop/host";
import { messageOf, type RouteSpec } from "@orgloop/sdk";
import { actorMessage } from "./actor-message.ts";
import type { HideMessages } from "./deliver-batch.ts";
import { recordHistory } from "./event-history.ts";
import {
  type BatchResponse,
  groupsOf,
  type ReceivedMessage,
  receivesOf,
  responseOf,
} from "./received-message.ts";
import { type RoutingHost, routeMessage } from "./route-message.ts";

export interface RouteBatchOptions extends RoutingHost {
  /** The router of an invocation, whose transforms end when `abandon` is aborted. */
  readonly routerFor: (abandon: AbortSignal) => Promise<Router>;
  readonly routes: ReadonlyMap<string, RouteSpec>;
  /** Of each actor, how many routes lead to it. */
  readonly routesTo: ReadonlyMap<string, number>;
  readonly topologyHash: string;
  readonly sender: Pick<SqsSender, "sendEach">;
  readonly busUrl: string;
  readonly queueUrlOf: (actor: string) => string;
  readonly hide: HideMessages;
  readonly clock: Clock;
}

interface Routed {
  readonly record: ReceivedMessage;
  readonly deliveries: readonly Delivery[];
  readonly line: RecordedLine | null;
}

/** Left for sending, recording and answering. */
const MARGIN_MS = 5_000;
/** How soon a group that failed is tried again: doubled with each receive, up to the queue's own time. */
const FIRST_RETRY_S = 2;
const LONGEST_RETRY_S = 180;

/**
 * Routes a batch of the bus: every event, then what is to be delivered goes to the actors' queues, then the batch stands in the history; only
 * then is it settled. After the first event of a source that has to come again, the later ones of that source come again too.
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
  const groups = groupsOf(records);
  try {
    const router = await options.routerFor(abandon.signal);
    const routed = await routeGroups(groups, failed, router, abandon.signal, options);
    await send(routed, failed, options);
    const settled = behindFailed(groups, failed);
    const lines = routed.flatMap(({ record, line }) =>
      line === null || settled.has(record) ? [] : [line],
    );
    await recordHistory(options.objects, lines, clock.now());
    flow.count("routed", records.length - settled.size);
  } catch (error) {
    flow.log({ phase: "system.error", error: messageOf(error) });
    for (const record of records) failed.add(record);
  } finally {
    cancel();
  }
  const returned = behindFailed(groups, failed);
  await hideReturned(groups, returned, options);
  return responseOf(records.filter((record) => returned.has(record)));
}

async function routeGroups(
  groups: readonly (readonly ReceivedMessage[])[],
  failed: Set<ReceivedMessage>,
  router: Router,
  abandon: AbortSignal,
  options: RouteBatchOptions,
): Promise<readonly Routed[]> {
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
  // What ended the function before is routed by itself, so that its neighbours are not taken for it.
  const isSuspect = groups.flat().some((record) => receivesOf(record) > 1);
  if (!isSuspect) return (await Promise.all(groups.map(routeGroup))).flat();
  const routed: Routed[] = [];
  for (const group of groups) routed.push(...(await routeGroup(group)));
  return routed;
}

/** Sends what was matched, queue by queue in the order of the batch; what a queue did not take makes its event fail. */
async function send(
  routed: readonly Routed[],
  failed: Set<ReceivedMessage>,
  options: RouteBatchOptions,
): Promise<void> {
  const { routes, routesTo, topologyHash, objects, sender, queueUrlOf, clock, flow } = options;
  const nowMs = clock.now();
  const queues = new Map<string, { record: ReceivedMessage; message: Promise<FifoMessage> }[]>();
  for (const { record, deliveries } of routed) {
    for (const delivery of deliveries) {
      const { actor } = delivery;
      const route = routes.get(delivery.route) as RouteSpec;
      const severalRoutes = (routesTo.get(actor) ?? 0) > 1;
      const matched = { delivery, route, topologyHash, severalRoutes, nowMs };
      const queue = queues.get(actor) ?? [];
      queue.push({ record, message: actorMessage(matched, objects) });
      queues.set(actor, queue);
    }
  }
  await Promise.all(
    Array.from(queues, async ([actor, queue]) => {
      const messages = await Promise.all(queue.map(({ message }) => message));
      const outcomes = await sender.sendEach(queueUrlOf(actor), messages);
      for (const [at, error] of outcomes.entries()) {
        if (error === null) {
          flow.count("matched");
          continue;
        }
        failed.add((queue[at] as (typeof queue)[number]).record);
        flow.log({ phase: "system.error", target: actor, error: messageOf(error) });
      }
    }),
  );
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
