import {
  ActorQueue,
  type AttemptState,
  type Circuit,
  circuitOf,
  type Delivery,
  deliveryId,
  expiryDeadline,
  type Next,
  type Offer,
} from "@orgloop/engine";
import { OrgLoopError } from "@orgloop/sdk";
import { callAt, wallTime } from "../process/clock.ts";
import type { BreakerStatus } from "../telemetry/status.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import { type ActorSlots, processSlots, waitingPlaces, within } from "./attempt-slots.ts";
import { type DeliveryReport, deliveryReport } from "./delivery-report.ts";
import { type AskedWaits, askedWaits, deliveryTurns } from "./delivery-turns.ts";
import { rateLimitedLog } from "./rate-limited-log.ts";
import {
  type PushOptions,
  type Settled,
  type SettleTaken,
  settleTaken,
  type TakenDelivery,
  transformQueued,
} from "./taken-deliveries.ts";

/** Displaced deliveries whose dead letters are being written at once: they share syncs. */
const MAX_LETTERS_WRITING = 1_000;

type Work = Pick<ActorDelivererOptions, "actor" | "depth" | "policies">;

/**
 * Gives one actor its deliveries: the engine's queue decides which is next, this sees to it that it
 * goes on.
 */
export class ActorDeliverer {
  readonly #options: ActorDelivererOptions;
  readonly #queue: ActorQueue;
  readonly #taken = new Map<Delivery, TakenDelivery>();
  readonly #settling: SettleTaken;
  readonly #report: DeliveryReport;
  readonly #asked: AskedWaits;
  readonly #places = waitingPlaces();
  readonly #slots: ActorSlots;
  readonly #turn: ReturnType<typeof deliveryTurns>;
  readonly #pump = (): void => this.#goOn();
  readonly #ended = Promise.withResolvers<void>();
  #work: Pick<Work, "actor" | "policies">;
  #waitingForIdle: (() => void)[] = [];
  #cancelWake = (): void => {};
  #working = 0;
  #lettersWriting = 0;
  #closed = false;

  constructor(options: ActorDelivererOptions) {
    const { id, log, clock, starts } = options;
    this.#options = options;
    this.#work = options;
    const onLimited = rateLimitedLog(id, log, clock.now);
    this.#queue = new ActorQueue({ ...options, onLimited });
    this.#settling = settleTaken(this.#taken, options);
    this.#report = deliveryReport({ ...options, now: clock.now });
    this.#asked = askedWaits(starts);
    this.#slots = (options.slots ?? processSlots()).join();
    this.#turn = deliveryTurns({
      ...options,
      queue: this.#queue,
      taken: this.#taken,
      report: this.#report,
      asked: this.#asked,
      settling: this.#settling,
      actor: () => this.#work.actor,
      keep: (route) => this.#keep(route),
    });
  }

  get queued(): number {
    return this.#queue.queued;
  }

  get inFlight(): number {
    return this.#queue.inFlight;
  }

  get depth(): number {
    return this.#queue.depth;
  }

  /** Deliveries in the queue or in flight, by route; only where there are some. */
  unsettled(): Iterable<readonly [route: string, count: number]> {
    return this.#queue.sizes();
  }

  circuit(route: string): Circuit {
    return circuitOf(this.#queue.state(route).breaker, this.#options.clock.now());
  }

  /** Why the breaker of a route is not closed, and when it lets the next through; null: closed. */
  breaker(route: string): BreakerStatus | null {
    const { clock } = this.#options;
    const { openUntilMs } = this.#queue.state(route).breaker;
    if (openUntilMs === null) return null;
    const iso = (ms: number) => new Date(wallTime(clock, ms)).toISOString();
    const opened = this.#report.opened(route);
    return {
      reason: opened?.error ?? null,
      since: opened && iso(opened.sinceMs),
      next_probe_at: iso(openUntilMs),
    };
  }

  /** When the event was made that has waited longest for its turn; null: none waits. */
  get oldest(): string | null {
    if (this.#queue.queued === 0) return null;
    const [first] = this.#taken.keys();
    return first?.event.timestamp ?? null;
  }

  /** True where something of the route is still to be transformed. */
  hasUntransformed(route: string): boolean {
    return this.#queue.hasUntransformed(route);
  }

  /**
   * Resolves when the delivery has a place, or is settled. Rejects with `DRAINING` where it gets
   * none before the process stops.
   */
  async push(
    delivery: Delivery,
    onSettled: (how: Settled) => void,
    options: PushOptions = {},
  ): Promise<void> {
    const { waits = false, returned = false, matched = this.#work.policies, transform } = options;
    const policy = matched.get(delivery.route);
    const terms = {
      matched: policy,
      deadlineMs: policy && expiryDeadline(delivery, policy, this.#options.clock),
      notBeforeMs: returned ? this.#asked.until(delivery, policy) : undefined,
    };
    const id = deliveryId(delivery, matched.size > 1);
    this.#taken.set(delivery, { onSettled, returned, transform, deliveryId: id });
    for (;;) {
      if (this.#closed) {
        this.#taken.delete(delivery);
        throw new OrgLoopError("DRAINING", "the process is stopping: nothing more is taken on");
      }
      const mayOffer = !waits || this.#queue.hasRoom(delivery.route);
      const offer: Offer = mayOffer
        ? this.#queue.offer(delivery, undefined, terms)
        : { kind: "full" };
      if (transform !== undefined && offer.kind !== "full") this.#transformNext();
      if (offer.kind === "queued") return this.#goOn();
      if (offer.kind === "dropped") {
        this.#report.dropped(offer.victim, offer.state.attempts, this.#queue.depth);
        this.#goOn();
        return this.#writeAside(offer.victim, offer.state);
      }
      await this.#places.wait(delivery.route);
    }
  }

  /** Does what is due, and sees to it that it is called again when more is. */
  #goOn(): void {
    this.#cancelWake();
    while (!this.#closed && (this.#work.actor !== null || this.#work.policies.size === 0)) {
      if (!this.#slots.isFree(this.#pump)) break;
      const next = this.#queue.next(this.#options.clock.now());
      if (next.kind === "wait") {
        const { clock } = this.#options;
        if (next.atMs !== null) this.#cancelWake = callAt(clock, next.atMs, this.#pump);
        break;
      }
      void this.#count(() => this.#take(next));
    }
    if (this.#closed) this.#places.wakeAll();
    else this.#places.wakeOne();
    if (this.#queue.queued + this.#queue.inFlight + this.#working > 0) return;
    for (const resolve of this.#waitingForIdle) resolve();
    this.#waitingForIdle = [];
  }

  #take(next: Exclude<Next, { kind: "wait" }>): Promise<void> {
    if (next.kind === "attempt") return within(this.#slots, () => this.#turn(next));
    return this.#settling.giveUp(next.delivery, "expired", next.state);
  }

  /** Begins the transforms of each lane that has some, and where none runs. */
  #transformNext(): void {
    const { untransformed } = this.#queue;
    while (!this.#closed) {
      const item = untransformed.next();
      if (item === undefined) return;
      void this.#count(async () => {
        await transformQueued(item, this.#queue, this.#taken);
        this.#transformNext();
      });
    }
  }

  /** Counts what `close` waits for. */
  async #count(task: () => Promise<void>): Promise<void> {
    this.#working += 1;
    await task();
    this.#working -= 1;
    if (this.#closed && this.#working === 0) this.#ended.resolve();
    this.#goOn();
  }

  /**
   * Buries what a new delivery displaced. The source of the new one, and so other actors, wait only
   * where very many letters are being written.
   */
  async #writeAside(victim: Delivery, state: AttemptState): Promise<void> {
    this.#lettersWriting += 1;
    const written = this.#count(async () => {
      await this.#settling.giveUp(victim, "backpressure", state);
      this.#lettersWriting -= 1;
    });
    if (this.#lettersWriting > MAX_LETTERS_WRITING) await written;
  }

  /**
   * Goes on with this actor and these routes: attempts in flight end with the actor they began
   * with. Without any route what is queued still goes out; where the actor never existed it becomes
   * dead letters.
   */
  change(to: Work): void {
    this.#work = to;
    this.#queue.change(to, this.#options.clock.now());
    this.#goOn();
  }

  /** Keeps every route's breaker and rate for the next process. */
  keep(): void {
    for (const route of this.#work.policies.keys()) this.#keep(route);
  }

  #keep(route: string): void {
    // What is left of a route that has gone is nothing for a restart.
    if (!this.#work.policies.has(route)) return;
    this.#options.kept.save(route, this.#queue.state(route));
  }

  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waitingForIdle.push(resolve);
    this.#goOn();
    return promise;
  }

  /** Starts nothing more; resolves when nothing is in flight. What waits stays unsettled. */
  close(): Promise<void> {
    this.#closed = true;
    this.#slots.leave();
    this.#goOn();
    if (this.#working === 0) this.#ended.resolve();
    return this.#ended.promise;
  }
}
