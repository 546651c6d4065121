import { setImmediate as nextTurn } from "node:timers/promises";
import { hasCode } from "@orgloop/sdk";
import type { SetTimer } from "../../dispatch.ts";
import { Batch, BufferPool } from "../format/line.ts";
import type { PendingLine } from "../format/pending-lines.ts";

export interface BatchWriter {
  /**
   * Makes a batch durable. `renumbered` is called when lines were put before it. Rejecting with
   * `WAL_FAILED` ends everything; with any other error nothing of the batch is on the disk.
   */
  append(batch: Batch, renumbered: () => void): Promise<void>;
}

export interface GroupCommitOptions {
  readonly nextSeq: number;
  readonly setTimer: SetTimer;
  readonly writer: BatchWriter;
  /** A batch could not be written: what is to be kept waits. */
  readonly onRefused: (error: Error, kept: number) => void;
  readonly onFailed: (error: Error) => void;
}

/**
 * One batch holds at most about this much: a burst of large events must not need one buffer for
 * all.
 */
const BATCH_BYTES = 8 * 1024 * 1024;
/**
 * After a failed write, what was kept is tried with the next commit, and at the latest after this.
 */
const RETRY_MS = 1_000;

/** So many are told at once; before the next ones, the disk is looked after. */
const RESOLVED_AT_ONCE = 4;

/**
 * Group commit: everything that waits goes to the disk in one write and one sync, and while that
 * runs the next batch gathers. Whoever waits is told when the next batch is under way, and a few at
 * a time: told all at once, a thousand writers would write again all at once, and the disk would
 * stand still while they do, then they while the disk works. So the disk gets as much as came in
 * while it worked, whatever its speed.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #buffers = new BufferPool();
  #queue: Batch[] = [];
  /** To be kept, from batches that could not be written. */
  #retained: PendingLine[] = [];
  #retry = false;
  #lastError: Error | null = null;
  #cancelTimer: (() => void) | null = null;
  #nextSeq: number;
  #running: Promise<void> | null = null;
  /** Batches whose lines are durable, but not yet all told: of the first one, `#resolved` are. */
  readonly #durable: (readonly PendingLine[])[] = [];
  #resolved = 0;
  #resolving = false;
  #failure: Error | null = null;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#nextSeq = options.nextSeq;
  }

  add(line: PendingLine): void {
    if (this.#failure !== null) {
      line.fail(this.#failure);
      return;
    }
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.bytes.length >= BATCH_BYTES) {
      batch = new Batch(this.#nextSeq, this.#buffers);
      this.#queue.push(batch);
    }
    batch.add(line);
    this.#nextSeq = batch.nextSeq;
    this.poke();
  }

  /** There is something to do, or a reason to try again what was refused. */
  poke(): void {
    this.#retry = true;
    this.#running ??= nextTurn().then(() => this.#run());
  }

  /**
   * Why nothing is taken at present; what is kept is tried again soon. Null where nothing waits for
   * the disk.
   */
  get refusal(): Error | null {
    return this.#retained.length > 0 ? this.#lastError : null;
  }

  /** Everything fails from now on. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#cancelTimer?.();
    this.#resolveAll();
    const lost = [...this.#retained, ...this.#queue.flatMap((batch) => batch.lines)];
    this.#retained = [];
    this.#queue = [];
    for (const line of lost) line.fail(error);
    this.#options.onFailed(error);
  }

  /** Resolves when all that was added is durable, or could not be made so at one more try. */
  async drain(): Promise<void> {
    this.poke();
    while (this.#running !== null) {
      await this.#running;
      this.#resolveAll();
      await Promise.resolve();
    }
    this.#cancelTimer?.();
    const lost = this.#retained;
    this.#retained = [];
    for (const line of lost) line.fail(this.#lastError as Error);
  }

  async #run(): Promise<void> {
    for (let batch = this.#next(); batch !== null; batch = this.#next()) {
      const writing = this.#options.writer.append(batch, () => this.#renumberAfter(batch as Batch));
      this.#resolveSome();
      try {
        await writing;
        batch.release();
        this.#durable.push(batch.lines);
      } catch (error) {
        this.#refused(batch, error as Error);
      }
      if (this.#queue.length === 0) this.#resolveSome();
    }
    this.#running = null;
  }

  #next(): Batch | null {
    if (this.#failure !== null) return null;
    if (this.#retry && this.#retained.length > 0) {
      const batch = new Batch(this.#queue[0]?.firstSeq ?? this.#nextSeq, this.#buffers);
      for (const line of this.#retained) batch.add(line);
      this.#retained = [];
      this.#retry = false;
      this.#renumberAfter(batch);
      return batch;
    }
    return this.#queue.shift() ?? null;
  }

  #refused(batch: Batch, error: Error): void {
    if (hasCode(error, "WAL_FAILED")) {
      for (const line of batch.lines) line.fail(error);
      this.fail(error);
      return;
    }
    this.#resolveAll();
    this.#retry = false;
    this.#lastError = error;
    this.#renumberFrom(batch.firstSeq);
    for (const line of batch.lines) {
      if (line.keep) this.#retained.push(line);
      else line.fail(error);
    }
    batch.release();
    if (this.#retained.length > 0) {
      this.#cancelTimer?.();
      this.#cancelTimer = this.#options.setTimer(() => this.poke(), RETRY_MS);
    }
    this.#options.onRefused(error, this.#retained.length);
  }

  #renumberAfter(batch: Batch): void {
    this.#renumberFrom(batch.nextSeq);
  }

  #renumberFrom(seq: number): void {
    let next = seq;
    for (const batch of this.#queue) {
      batch.renumber(next);
      next = batch.nextSeq;
    }
    this.#nextSeq = next;
  }

  #resolveSome(): void {
    for (let count = 0; count < RESOLVED_AT_ONCE && this.#resolveNext(); count += 1);
    if (this.#durable.length > 0 && !this.#resolving) {
      this.#resolving = true;
      setImmediate(() => {
        this.#resolving = false;
        this.#resolveSome();
      });
    }
  }

  #resolveAll(): void {
    while (this.#resolveNext());
  }

  /** False where all are told. */
  #resolveNext(): boolean {
    const lines = this.#durable[0];
    if (lines === undefined) return false;
    const line = lines[this.#resolved] as PendingLine;
    this.#resolved += 1;
    if (this.#resolved === lines.length) {
      this.#durable.shift();
      this.#resolved = 0;
    }
    line.done();
    return true;
  }
}
