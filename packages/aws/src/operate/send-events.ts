import { busKey, isReplay, randomHex } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import type { KeyOf } from "../intake/grouped-sources.ts";
import { eventDedupId, messageGroup } from "../plan/message-keys.ts";
import { busMessage } from "../queue/bus-message.ts";
import { sqsSender } from "../queue/sqs-sender.ts";
import { dynamoGroupings } from "../state/source-groupings.ts";
import type { OpenStage } from "./open-stage.ts";

/**
 * Puts events on the stage's bus, in their order. Rejects where SQS takes not all; a replay that is
 * put there again is still one.
 */
export async function sendEvents(stage: OpenStage, events: readonly OrgLoopEvent[]): Promise<void> {
  const { sqs, objects, names, queueUrl } = stage;
  const keys = { messageGroup, eventDedupId, keyOf: await keysOf(stage, events) };
  const at_ms = Date.now();
  const messages = await Promise.all(
    events.map((event) => {
      const publication = isReplay(event)
        ? ({ id: event.id, kind: "replay", at_ms } as const)
        : ({ id: `${randomHex()}${randomHex()}`, kind: "inject", at_ms } as const);
      return busMessage(event, keys, objects, publication);
    }),
  );
  await sqsSender({ sqs }).sendAll(queueUrl(names.bus), messages);
}

/** As whoever takes their sources' events in groups them now. */
async function keysOf(
  { topology, table }: OpenStage,
  events: readonly OrgLoopEvent[],
): Promise<KeyOf> {
  const ids = [...new Set(events.map(({ source }) => source))];
  const [{ sources }, groupings] = await Promise.all([
    topology(),
    dynamoGroupings(table).load(ids),
  ]);
  const specs = new Map(sources.map((source) => [source.id, source]));
  return (event) =>
    groupings.get(event.source)?.by === "key" ? busKey(event, specs.get(event.source)) : null;
}
