import type { Evidence } from "./evidence.ts";
import type { Fragment } from "./fragments.ts";

/** A line that is lost, or may be. */
export interface LostLine {
  readonly number: number | null;
  /** Of the event, where it can still be read. */
  readonly eventId: string | null;
  /** False: nothing says whether it was an event. */
  readonly isEvent: boolean;
}

/** Lines that are not there. */
export interface Gap {
  /** Their numbers. */
  readonly from: number;
  readonly through: number;
  /** False in a compacted segment, where only some numbers of a range had lines. */
  readonly dense: boolean;
  readonly fragments: readonly Fragment[];
  /** Numbers in between that are there after all. */
  readonly found: ReadonlySet<number>;
}

export interface Loss {
  readonly lost: readonly LostLine[];
  /** In words. */
  readonly text: string;
}

/**
 * A gap of more numbers is not looked at one by one where nothing lists what was unsettled in it.
 */
const MAX_NUMBERS = 100_000;
const NAMED = 20;

export function lossOf(gap: Gap, evidence: Evidence): Loss {
  const lost: LostLine[] = [];
  const effects = new Set<string>();
  const fragments = new Map(gap.fragments.map((each) => [each.seq, each]));
  let [from, through] = [gap.from, gap.through];
  // A line without its start has the first number that no other one has.
  const headless = fragments.get(null);
  if (headless !== undefined && gap.dense && !fragments.has(from)) fragments.set(from, headless);
  if (!gap.dense) {
    for (const [seq, each] of fragments) judge(seq, each);
    for (const number of evidence.listed(from, through)) if (!fragments.has(number)) judge(number);
    if (fragments.size === 0 && !evidence.isListed(through)) {
      lost.push({ number: null, eventId: null, isEvent: false });
    }
  } else if (through - from >= MAX_NUMBERS) {
    for (const number of evidence.listed(from, through)) judge(number, fragments.get(number));
    while (from <= through && evidence.isListed(from)) from += 1;
    if (from <= through) lost.push({ number: null, eventId: null, isEvent: false });
  } else for (; from <= through; from += 1) judge(from, fragments.get(from));
  return { lost, text: textOf(lost, effects, gap) };

  function judge(number: number | null, fragment?: Fragment): void {
    if (number !== null && (gap.found.has(number) || evidence.has(number))) return;
    const { kind = null, ref = null, eventId = null, noted = false } = fragment ?? {};
    if (kind === "open" || kind === "close" || kind === "compacted") return;
    if (kind === "ack" || kind === "settle") {
      if (ref !== null && (evidence.isDone(ref) || !evidence.has(ref))) {
        if (noted) effects.add(`an ack: what is sent again of event ${ref} may be routed again`);
        return;
      }
      const event = ref === null ? "its event" : `event ${ref}`;
      effects.add(
        kind === "ack"
          ? `an ack: ${event} comes again`
          : `a settled route: ${event} goes to that route again`,
      );
      return;
    }
    if (number !== null && evidence.isDone(number)) {
      effects.add(
        kind === "event" || evidence.isAcked(number)
          ? "nothing: the event is done with"
          : "nothing",
      );
      return;
    }
    const isEvent = kind === "event" || (number !== null && evidence.isEvent(number));
    lost.push({ number, eventId, isEvent });
  }
}

function textOf(lost: readonly LostLine[], effects: ReadonlySet<string>, gap: Gap): string {
  const parts = lost.slice(0, NAMED).map((line) => named(line, gap));
  if (lost.length > NAMED) parts.push(`${lost.length - NAMED} more`);
  for (const effect of effects) {
    if (!effect.startsWith("nothing")) parts.push(effect);
  }
  if (lost.some(({ isEvent }) => isEvent) && lost.some(({ isEvent }) => !isEvent)) {
    parts.push("an event whose ack is among what cannot be read was done with");
  }
  if (parts.length > 0) return parts.join("; ");
  return [...effects].at(0) ?? "nothing but bookkeeping";
}

function named({ number, eventId, isEvent }: LostLine, { from, through }: Gap): string {
  const place = number === null ? `one of ${from} to ${through}` : `number ${number}`;
  if (isEvent) return `the event ${eventId ?? "whose id cannot be read"}, ${place}`;
  return number === null
    ? `all lines from ${from} to ${through}: their unsettled events, and of their acks the events come again`
    : `${place}, of which nothing can be read: if it was an event, it is lost; if an ack, its event comes again`;
}
