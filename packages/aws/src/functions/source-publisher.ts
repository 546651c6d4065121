import type { CheckEvent } from "@orgloop/engine/event-schemas";
import type { SourceSpec } from "@orgloop/sdk";
import { writeDeadLetter } from "../delivery/write-dead-letter.ts";
import { eventPublisher, type PublishDrafts } from "../intake/event-publisher.ts";
import { groupedSources } from "../intake/grouped-sources.ts";
import { dynamoDeadLetters } from "../state/dead-letters.ts";
import { dynamoGroupings } from "../state/source-groupings.ts";
import type { FunctionTools } from "./function-tools.ts";

/** What takes events of sources in: a receiver, a poller. */
type Tools = FunctionTools<{
  readonly sources: readonly SourceSpec[];
  /** Those that are grouped by their ordering keys; absent: none. */
  readonly keyed?: readonly string[];
}>;

/** Where a function's events enter; those that do not fit their schema become dead letters. */
export async function sourcePublisher(tools: Tools): Promise<PublishDrafts> {
  const { environment, spec, state, objects, clock } = tools;
  const { now } = clock;
  const deadLetters = dynamoDeadLetters({ ...state, objects, now });
  return eventPublisher({
    ...tools,
    ...environment,
    now,
    keyOf: groupedSources({
      ...tools,
      sources: spec.sources,
      keyed: spec.keyed ?? [],
      groupings: dynamoGroupings(state),
    }),
    checkEvent: await schemasOf(spec.sources),
    writeDeadLetter: (letter) => writeDeadLetter(letter, { ...tools, deadLetters }),
  });
}

/** What compiles schemas is loaded only where there are any: it makes a cold start longer. */
async function schemasOf(sources: readonly SourceSpec[]): Promise<CheckEvent | undefined> {
  if (sources.every(({ schemas }) => schemas === undefined)) return undefined;
  const { eventSchemas } = await import("@orgloop/engine/event-schemas");
  return eventSchemas(sources);
}
