import { compilePolicy, type Delivery, type DeliveryPolicy, RATE_SLACK_MS } from "@orgloop/engine";
import { type DeliverySpec, PermanentError, RetryAfterError } from "@orgloop/sdk";
import { fakeClock, SAMPLE_DELIVERY, seeded } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { type AttemptSeen, deliveryHost, type SimulatedCall } from "./delivery-host.ts";

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEYS = 12;
/** Mean time between the events of one route. */
const GAP_MS = 12_000;
const OUTAGE = { fromMs: START + 2 * HOUR, toMs: START + 20 * HOUR };
const FATES = ["delivered", "permanent", "exhausted", "expired", "backpressure"] as const;

const spec: DeliverySpec = {
  ...SAMPLE_DELIVERY,
  concurrency: 16,
  retry: {
    max_attempts: 5,
    backoff: "exponential",
    initial_delay: "1s",
    max_delay: "60s",
    jitter: "full",
  },
  circuit_breaker: { failure_threshold: 5, cooldown: "30s", max_cooldown: "15m" },
};

/** The four routes of every actor. */
const ROUTES: readonly Partial<DeliverySpec>[] = [
  { max_rate: "1/s", order: "key" },
  { order: "none", concurrency: 4, overflow: "drop_newest" },
  { max_rate: "30/m", burst: 5, order: "route", max_age: "6h" },
  { overflow: "block", queue_depth: 500 },
];

type Behaviour = (nowMs: number, random: () => number) => SimulatedCall;
const answers = (random: () => number): SimulatedCall => ({ takesMs: 20 + random() * 400 });
const refused = { takesMs: 1, error: new Error("connect ECONNREFUSED") };

const ACTORS: Readonly<Record<string, () => Behaviour>> = {
  healthy: () => (_, random) => answers(random),
  dead: () => (nowMs, random) =>
    nowMs >= OUTAGE.fromMs && nowMs < OUTAGE.toMs ? refused : answers(random),
  flapping: () => (nowMs, random) =>
    Math.floor(nowMs / 300_000) % 3 === 0 ? refused : answers(random),
  busy: () => {
    let windowMs = 0;
    let taken = 0;
    return (nowMs, random) => {
      if (nowMs - windowMs >= 60_000) {
        windowMs = nowMs;
        taken = 0;
      }
      taken += 1;
      if (taken <= 18) return answers(random);
      return { takesMs: 20, error: new RetryAfterError("429", windowMs + 60_000 - nowMs) };
    };
  },
  picky: () => (_, random) => {
    const chance = random();
    if (chance < 0.01) return { takesMs: 30, error: new PermanentError("422") };
    if (chance < 0.1) return { takesMs: 30_000, error: new Error("no answer within 30s") };
    return answers(random);
  },
};

/** Everything seen of one route, and the laws it must keep. */
class Witness {
  readonly #policy: DeliveryPolicy;
  readonly fates = new Map<string, number>();
  arrived = 0;
  attempts = 0;
  probes = 0;
  attemptsInOutage = 0;
  #probing = false;
  #sent = 0;
  #lowest = Number.POSITIVE_INFINITY;
  /** By lane: the number that is under way or last was, and whether it is under way. */
  readonly #lanes = new Map<string, { n: number; inFlight: boolean }>();
  readonly #settled = new Set<string>();

  constructor(policy: DeliveryPolicy) {
    this.#policy = policy;
  }

  get settled(): number {
    return this.#settled.size;
  }

  attempt({ delivery, atMs, probe, circuit }: AttemptSeen): void {
    this.attempts += 1;
    if (atMs >= OUTAGE.fromMs && atMs < OUTAGE.toMs) this.attemptsInOutage += 1;
    if (probe) this.probes += 1;
    expect(circuit, "attempted under an open breaker").not.toBe("open");
    expect(probe).toBe(circuit === "half_open");
    expect(this.#probing && probe, "two probes at a time").toBe(false);
    if (probe) this.#probing = true;
    this.#keepsRate(atMs);
    if (this.#policy.order === "none") return;
    const lane = this.#policy.order === "key" ? delivery.orderingKey : "";
    const n = delivery.event.payload.n as number;
    const before = this.#lanes.get(lane) ?? { n: -1, inFlight: false };
    expect(before.inFlight, "two of a lane at a time").toBe(false);
    expect(n, "a later one was attempted before").toBeGreaterThanOrEqual(before.n);
    this.#lanes.set(lane, { n, inFlight: true });
  }

  end(delivery: Delivery): void {
    this.#probing = false;
    const lane = this.#lanes.get(this.#policy.order === "key" ? delivery.orderingKey : "");
    if (lane !== undefined) lane.inFlight = false;
  }

  fate({ event }: Delivery, fate: string): void {
    expect(this.#settled.has(event.id), `${event.id} has two fates`).toBe(false);
    this.#settled.add(event.id);
    this.fates.set(fate, (this.fates.get(fate) ?? 0) + 1);
  }

  /** All windows at once: `i - rate × t` may rise above its lowest by no more than the burst. */
  #keepsRate(atMs: number): void {
    const { rate } = this.#policy;
    if (rate === null) return;
    const perMs = rate.count / rate.perMs;
    const level = this.#sent - perMs * (atMs - START);
    this.#lowest = Math.min(this.#lowest, level);
    const most = rate.burst + perMs * (RATE_SLACK_MS + 1);
    expect(level - this.#lowest + 1).toBeLessThanOrEqual(most + 1e-6);
    this.#sent += 1;
  }
}

function startActor(name: string, clock: ReturnType<typeof fakeClock>, random: () => number) {
  const policies = new Map(
    ROUTES.map((change, i) => [`${name}/${i}`, compilePolicy({ ...spec, ...change })]),
  );
  const witnesses = new Map([...policies].map(([route, policy]) => [route, new Witness(policy)]));
  const witness = (delivery: Delivery) => witnesses.get(delivery.route) as Witness;
  const behave = (ACTORS[name] as () => Behaviour)();
  const depth = 8_000;
  let longest = 0;
  let emptyMs: number | null = null;
  const host = deliveryHost({
    clock,
    depth,
    policies,
    call: (_, nowMs) => behave(nowMs, random),
    onAttempt: (attempt) => witness(attempt.delivery).attempt(attempt),
    onEnd: (delivery) => witness(delivery).end(delivery),
    onFate(delivery, fate) {
      witness(delivery).fate(delivery, fate);
      if (host.queue.queued > 10) emptyMs = null;
      else if (clock.now() >= OUTAGE.toMs) emptyMs ??= clock.now();
    },
  });
  const arrive = (route: string) => {
    const seen = witnesses.get(route) as Witness;
    const n = seen.arrived;
    seen.arrived += 1;
    host.push({
      event: {
        id: `${route}/${n}`,
        timestamp: new Date(clock.now()).toISOString(),
        source: "s",
        type: "resource.changed",
        provenance: { platform: "test" },
        payload: { n },
        trace_id: "trc_1",
      },
      route,
      actor: name,
      orderingKey: `k${Math.floor(random() * KEYS)}`,
      config: {},
      replay: 0,
    });
    longest = Math.max(longest, host.queue.queued);
    expect(host.queue.queued).toBeLessThanOrEqual(depth + 16);
  };
  const keepArriving = (route: string) => {
    const gapMs = -Math.log(1 - random()) * GAP_MS;
    if (clock.now() + gapMs >= START + DAY) return;
    clock.schedule(gapMs, () => {
      arrive(route);
      keepArriving(route);
    });
  };
  for (const route of policies.keys()) keepArriving(route);
  const sum = (of: (seen: Witness) => number) =>
    [...witnesses.values()].reduce((total, seen) => total + of(seen), 0);
  return {
    name,
    sum,
    report() {
      const numbers = FATES.map((fate) => `${sum((seen) => seen.fates.get(fate) ?? 0)} ${fate}`);
      const waiting = host.queue.queued + host.queue.inFlight + host.blocked;
      return `${name}: ${sum((seen) => seen.arrived)} arrived = ${numbers.join(" + ")} + ${waiting} waiting`;
    },
    effort: () =>
      `  ${sum((seen) => seen.attempts)} attempts, ${sum((seen) => seen.probes)} probes, longest queue ${longest}`,
    waiting: () => host.queue.queued + host.queue.inFlight + host.blocked,
    emptyMs: () => emptyMs,
  };
}

test("a day of outage, flapping and 429: the sum is exact, and every law holds all day", async () => {
  const random = seeded(20_260_101);
  const clock = fakeClock(START, random);
  const actors = Object.keys(ACTORS).map((name) => startActor(name, clock, random));
  const say = (line: string) => process.stdout.write(`${line}\n`);

  await clock.advance(DAY);
  say(`after 24 h, ${actors.length * ROUTES.length} routes to ${actors.length} actors:`);
  for (const actor of actors) {
    say(actor.report());
    say(actor.effort());
    expect(actor.sum((seen) => seen.arrived)).toBe(
      actor.sum((seen) => seen.settled) + actor.waiting(),
    );
  }
  const [, dead] = actors as [unknown, (typeof actors)[number]];
  const probes = dead.sum((seen) => seen.attemptsInOutage);
  const drainMs = (dead.emptyMs() as number) - OUTAGE.toMs;
  say(
    `dead from hour 2 to 20: ${probes} attempts in 18 h; drained ${(drainMs / 60_000).toFixed(1)} min after it was back`,
  );
  // Five failures open each of four breakers; then 30 s, 60 s … 15 min, and 4 probes an hour. Some
  // were under way at the start.
  expect(probes).toBeLessThan(4 * (5 + 16 + 5 + 18 * 4));
  expect(drainMs).toBeGreaterThan(0);
  // The failures that open a breaker may use up one event's attempts; the probes use up none.
  expect(dead.sum((seen) => seen.fates.get("exhausted") ?? 0)).toBeLessThanOrEqual(ROUTES.length);

  await clock.advance(DAY);
  say("after the night:");
  for (const actor of actors) {
    say(actor.report());
    expect(actor.waiting()).toBe(0);
    expect(actor.sum((seen) => seen.arrived)).toBe(actor.sum((seen) => seen.settled));
  }
});
