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
