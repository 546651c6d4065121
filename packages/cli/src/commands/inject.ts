import { randomBytes } from "node:crypto";
import type { InjectedEvent } from "@orgloop/sdk";
import type { Command, CommandContext } from "../command.ts";
import { withEventFile } from "../events/event-file.ts";
import { type EventSink, withEventSink } from "../events/event-sink.ts";
import { readEvents } from "../events/read-events.ts";
import { type DataLocation, locateData } from "../process/data-directory.ts";

/** What one request carries: it becomes durable as one group. */
const BATCH_EVENTS = 500;
const BATCH_CHARACTERS = 512 * 1024;

/** `orgloop inject FILE|-`: every event is checked before the first is sent. */
export const inject: Command = async (context, [given = "-"]) => {
  const located = await locateData(context);
  await withEventSink(context, located, (sink) => injectFrom(context, given, located, sink));
  return 0;
};

async function injectFrom(
  context: CommandContext,
  given: string,
  { project }: DataLocation,
  sink: EventSink,
): Promise<void> {
  await withEventFile(given, async (file, shown) => {
    const sources = new Set<string>();
    for await (const { source } of readEvents(file, shown)) sources.add(source);
    const known = new Set(project.topology?.sources.map(({ id }) => id));
    for (const source of sources) {
      if (!known.has(source)) context.output.warn(`the project has no source "${source}"`);
    }
    const ids = await sendAll(context, sink, readEvents(file, shown));
    const what = ids.length === 1 ? `Injected ${ids[0]}.` : `Injected ${ids.length} events.`;
    // The ids of a few are of use, those of millions are not.
    context.output.result({ injected: ids.length, event_ids: ids.slice(0, BATCH_EVENTS) }, what);
  });
}

async function sendAll(
  { output }: CommandContext,
  sink: EventSink,
  events: AsyncIterable<InjectedEvent>,
): Promise<string[]> {
  const ids: string[] = [];
  let batch: InjectedEvent[] = [];
  let characters = 0;
  const send = async () => {
    if (batch.length === 0) return;
    try {
      ids.push(...(await sink(batch)));
      output.progress(`${ids.length} events are on the bus`);
    } catch (error) {
      output.progress(null);
      if (ids.length > 0) output.warn(`the first ${ids.length} events are on the bus`);
      throw error;
    }
    batch = [];
    characters = 0;
  };
  for await (const written of events) {
    // With an id, a batch that is sent again is still one event each.
    const event = { ...written, id: written.id ?? `evt_${randomBytes(8).toString("hex")}` };
    batch.push(event);
    characters += JSON.stringify(event).length;
    if (batch.length >= BATCH_EVENTS || characters >= BATCH_CHARACTERS) await send();
  }
  await send();
  output.progress(null);
  return ids;
}
