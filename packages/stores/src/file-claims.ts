import { join } from "node:path";
import {
  CheckedLines,
  type FileSystem,
  type MadeFiles,
  nodeFileSystem,
  pacedGroup,
} from "@orgloop/files";
import { type ClaimStore, messageOf } from "@orgloop/sdk";

/** Who holds a key, and until when (ms since the epoch, exclusive). */
export interface Claim {
  readonly eventId: string;
  readonly expiresMs: number;
}

/** Claims between two sweeps, at least. */
const MIN_SWEEP = 1_000;

/**
 * The claims in memory; what has expired is swept out whenever as many were added as there are, so
 * that it stays bounded.
 */
export class ClaimTable {
  readonly #claims = new Map<string, Claim>();
  /**
   * What was loaded is swept by the first claim: it may have expired while the process was away.
   */
  #untilSweep = 0;

  get size(): number {
    return this.#claims.size;
  }

  entries(): IterableIterator<[string, Claim]> {
    return this.#claims.entries();
  }

  /** Puts a claim in as it was written, whoever held the key before. */
  load(key: string, claim: Claim): void {
    this.#claims.set(key, claim);
  }

  /** `added` is the claim to remember, where it is a new one; `swept`: what had expired is gone. */
  claim(
    key: string,
    eventId: string,
    windowMs: number,
    nowMs: number,
  ): { readonly held: boolean; readonly added?: Claim; readonly swept: boolean } {
    const swept = this.#untilSweep <= 0;
    if (swept) this.#sweep(nowMs);
    const holder = this.#heldNow(key, windowMs, nowMs);
    if (holder !== undefined && holder.expiresMs > nowMs) {
      return { held: holder.eventId === eventId, swept };
    }
    const added = { eventId, expiresMs: nowMs + windowMs };
    this.#claims.set(key, added);
    this.#untilSweep--;
    return { held: true, added, swept };
  }

  /** Of a clock that was set back a claim may be of the future: its window begins now. */
  #heldNow(key: string, windowMs: number, nowMs: number): Claim | undefined {
    const holder = this.#claims.get(key);
    if (holder === undefined || holder.expiresMs <= nowMs + windowMs) return holder;
    const clamped = { ...holder, expiresMs: nowMs + windowMs };
    this.#claims.set(key, clamped);
    return clamped;
  }

  #sweep(nowMs: number): void {
    for (const [key, { expiresMs }] of this.#claims) {
      if (expiresMs <= nowMs) this.#claims.delete(key);
    }
    this.#untilSweep = Math.max(MIN_SWEEP, this.#claims.size);
  }
}

export interface FileClaimsOptions {
  /** Made where missing; holds `claims.jsonl`. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Where it is kept that the file was made. */
  readonly made?: MadeFiles | undefined;
  /** Told where a claim could not be written (it holds in memory then), and of damage. */
  readonly warn?: (message: string) => void;
}

export type FileClaims = Required<ClaimStore>;

/**
 * Dedup claims, in memory and in a file of checksummed lines (`CheckedLines`), which is read at
 * open and rewritten when more than half of it has expired. Claims are handed to the operating
 * system many at a time, without an fsync: `written` says when. One that a power cut loses lets a
 * duplicate through, which at-least-once allows; it never loses an event. For the same reason a
 * full disk is no error of a claim. Nobody else may write the file meanwhile (`lockDirectory`).
 */
export async function fileClaims({
  dir,
  fileSystem = nodeFileSystem,
  made,
  warn = () => {},
}: FileClaimsOptions): Promise<FileClaims> {
  const path = join(dir, "claims.jsonl");
  await fileSystem.makeDirectory(dir);
  let table = new ClaimTable();
  const file = await CheckedLines.open({
    path,
    fileSystem,
    made,
    begin() {
      table = new ClaimTable();
      return (body) => {
        const { key, ...claim } = parseClaimLine(body);
        table.load(key, claim);
      };
    },
    upgrade: upgradeClaim,
    loss: lostClaims,
    advice: "An event with one of those keys may pass once more; no event is lost",
    warn,
  });
  let failing = false;

  async function append(added: readonly string[]): Promise<void> {
    try {
      await file.append(added, { durable: false });
      failing = false;
    } catch (error) {
      if (!failing) warn(`${path}: claims are not written: ${messageOf(error)}`);
      failing = true;
    }
  }

  async function rewrite(): Promise<void> {
    if (!file.isStale(table.size)) return;
    const bodies = function* () {
      for (const [key, claim] of table.entries()) yield claimBody(key, claim);
    };
    await file.tidy(bodies());
  }

  const group = pacedGroup<string>((added) => file.inTurn(() => append(added)));
  return {
    async claim(key, eventId, windowMs, nowMs) {
      const { held, added, swept } = table.claim(key, eventId, windowMs, nowMs);
      if (added !== undefined) group.add(claimBody(key, added));
      if (swept) void file.inTurn(rewrite);
      return held;
    },
    written: group.written,
    async close() {
      await group.flush();
      await file.inTurn(() => file.close());
    },
  };
}

function claimBody(key: string, { eventId, expiresMs }: Claim): string {
  return JSON.stringify({ claim: [key, eventId, expiresMs] });
}

/** Throws where a body is no claim. */
export function parseClaimLine(body: Buffer): Claim & { readonly key: string } {
  const claim = claimOf(JSON.parse(body.toString()).claim);
  if (claim === null) throw new Error("a line of it is no claim");
  const [key, eventId, expiresMs] = claim;
  return { key, eventId, expiresMs };
}

function claimOf(value: unknown): readonly [string, string, number] | null {
  if (!Array.isArray(value)) return null;
  const [key, eventId, expiresMs] = value as unknown[];
  const whole =
    typeof key === "string" && typeof eventId === "string" && typeof expiresMs === "number";
  return whole ? [key, eventId, expiresMs] : null;
}

/** The body of a line as it was written before there were checksums. */
function upgradeClaim(line: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const claim = claimOf(value);
  return claim === null ? null : claimBody(claim[0], { eventId: claim[1], expiresMs: claim[2] });
}

/** What damaged bytes of the file held, for people. */
function lostClaims(bytes: Buffer): string {
  const keys = bytes.toString("utf8").matchAll(/"claim":\["((?:[^"\\]|\\.)*)"/g);
  return Array.from(keys, ([, key]) => `the claim of ${key}`).join(", ");
}
