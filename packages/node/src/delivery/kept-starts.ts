import { CheckedLines, type FileSystem, groupCommit, type MadeFiles } from "@orgloop/files";

/**
 * What is kept of a piece of work, by its key: a JSON array that begins with the event's id and
 * which replay of it.
 */
export type StartsChange =
  /** How often it was begun and not ended; 0 forgets. */
  | { readonly start: readonly [key: string, count: number] }
  /**
   * Until when its actor, or a source, has asked to be left alone, by the machine's clock, and for
   * how long; 0 forgets.
   */
  | { readonly asked: readonly [key: string, untilMs: number, forMs?: number] };

/** A wait that was asked for. */
export interface AskedWait {
  readonly untilMs: number;
  /**
   * However the machine's clock is set, it is no longer than this; an earlier release did not say.
   */
  readonly forMs: number;
}

/** What a source has asked for: no event has such a key. */
export const sourceKey = (id: string): string => JSON.stringify([NO_EVENT, 0, id]);
const NO_EVENT = "";

/** The file of what is under way, and of what waits as it was asked to. */
export interface KeptStarts {
  readonly counts: ReadonlyMap<string, number>;
  readonly asked: ReadonlyMap<string, AskedWait>;
  /**
   * Resolves when a death of the process would not lose it (not a power cut). Those that are put
   * meanwhile share a write.
   */
  put(change: StartsChange): Promise<void>;
  close(): Promise<void>;
}

export interface KeptStartsOptions {
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly made?: MadeFiles | undefined;
  /** The machine's clock. */
  readonly wall: () => number;
  /** Which keys may still come back. */
  readonly isWanted: (eventId: string, replay: number) => boolean;
  readonly warn: (message: string) => void;
}

export async function keptStarts(options: KeptStartsOptions): Promise<KeptStarts> {
  const { path, fileSystem, made, isWanted, warn } = options;
  const counts = new Map<string, number>();
  const asked = new Map<string, AskedWait>();

  const apply = (change: StartsChange): void => applyTo({ counts, asked }, change);

  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      counts.clear();
      asked.clear();
      return (body) => apply(parseStartLine(body));
    },
    upgrade,
    loss: () => "",
    advice:
      "Deaths of the process at an event may be counted anew, and what actors and sources asked to wait may come early; no event is lost",
    warn,
  });

  async function rewrite(): Promise<void> {
    const nowMs = options.wall();
    for (const [key, { untilMs }] of asked) if (untilMs <= nowMs) asked.delete(key);
    await file.tidy(bodiesOf({ counts, asked }));
  }

  async function commit(changes: readonly StartsChange[]): Promise<void> {
    await file.append(
      changes.map((change) => JSON.stringify(change)),
      { durable: false },
    );
    for (const change of changes) apply(change);
    if (file.isStale(counts.size + asked.size)) await rewrite();
  }

  for (const map of [counts, asked]) {
    for (const key of map.keys()) {
      const [eventId, replay] = JSON.parse(key);
      if (eventId !== NO_EVENT && !isWanted(eventId, replay)) map.delete(key);
    }
  }
  if (file.lines > counts.size + asked.size) await rewrite();
  return {
    counts,
    asked,
    put: groupCommit<StartsChange>((task) => file.inTurn(task), commit),
    close: () => file.inTurn(() => file.close()),
  };
}

interface Starts {
  readonly counts: Map<string, number>;
  readonly asked: Map<string, AskedWait>;
}

function applyTo({ counts, asked }: Starts, change: StartsChange): void {
  if ("asked" in change) {
    const [key, untilMs, forMs = Number.POSITIVE_INFINITY] = change.asked;
    if (untilMs > 0) asked.set(key, { untilMs, forMs });
    else asked.delete(key);
    return;
  }
  const [key, count] = change.start;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function bodiesOf({ counts, asked }: Starts): string[] {
  return [
    ...Array.from(counts, (start) => JSON.stringify({ start })),
    ...Array.from(asked, ([key, { untilMs, forMs }]) =>
      JSON.stringify({ asked: [key, untilMs, ...(Number.isFinite(forMs) ? [forMs] : [])] }),
    ),
  ];
}

/** Throws where a body says nothing of what is under way. */
export function parseStartLine(body: Buffer): StartsChange {
  const line = JSON.parse(body.toString());
  const change: unknown = line.start ?? line.asked;
  if (Array.isArray(change) && typeof change[0] === "string" && typeof change[1] === "number") {
    return line;
  }
  throw new Error("a line of it is no start of an attempt");
}

/** The body of a line as it was written before there were checksums. */
function upgrade(line: string): string | null {
  try {
    const [key, count] = JSON.parse(line);
    const whole = Array.isArray(JSON.parse(key)) && typeof count === "number";
    return whole ? JSON.stringify({ start: [key, count] }) : null;
  } catch {
    return null;
  }
}
