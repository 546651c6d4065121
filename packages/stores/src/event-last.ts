import { type OrgLoopEvent, parseJson } from "@orgloop/sdk";

const EVENT = '},"event":';

/**
 * The body of a line that holds a record of an event, under `name`. The event stands last and by
 * itself, so that an index can be read without it.
 */
export function eventLast<Record extends { readonly event: OrgLoopEvent }>(name: string) {
  const start = `{"${name}":`;
  return {
    encode({ event, ...record }: Record): string {
      return `${start}${JSON.stringify(record)},"event":${JSON.stringify(event)}}`;
    },
    /** Without the event; null for a body that is none of these. */
    head(body: Buffer): Omit<Record, "event"> | null {
      if (!body.subarray(0, start.length).equals(Buffer.from(start))) return null;
      // No text of JSON holds these bytes: a quote in it would be escaped.
      return JSON.parse(body.toString("utf8", start.length, body.indexOf(EVENT) + 1));
    },
    decode(body: Buffer): Record {
      const { event, [name]: record } = parseJson(body.toString()) as { [key: string]: object };
      return { ...record, event } as unknown as Record;
    },
  };
}
