import { type FileBus, openFileBus } from "@orgloop/bus/file";
import { hasCode, type LogEntry, type OrgLoopEvent } from "@orgloop/sdk";
import { type CrashFileSystem, crashFileSystem, seeded } from "@orgloop/testkit";
import { expect } from "vitest";
import type { Step } from "./wal-steps.ts";

/**
 * What is known of an event. `maybe`: its publish was under way when the process or the log died.
 */
interface Known {
  readonly event: OrgLoopEvent;
  published: "pending" | "yes" | "maybe";
  /** Asked for, and known to be durable. */
  readonly routes: Set<string>;
  readonly durableRoutes: Set<string>;
  ack: "no" | "pending" | "yes";
  /** The attempt of the first hand-over after the last opening; 0: none yet. */
  attempt: number;
}

/** Drives a log on a disk that crashes, next to the simplest model of what it promised. */
export class WalModel {
  disk: CrashFileSystem = crashFileSystem();
  /** Cuts reported by openings. */
  readonly repairs: LogEntry[] = [];
  #bus: FileBus | null = null;
  readonly #random: () => number;
  #events: Known[] = [];
  #count = 0;
  #clock = 1_750_000_000_000;
  #timers = new Set<() => void>();
  #broken = false;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async run(all: readonly Step[]): Promise<void> {
    await this.#open();
    for (const each of all) {
      await this.#step(each);
      if (this.#broken) await this.#restart(this.#random() < 0.5);
    }
    this.#clearFaults();
    await this.#restart(true);
    await this.#quiet();
    await this.#restart(true);
    await this.#quiet();
  }

  /** Ends as a clean process does. */
  async close(): Promise<void> {
    await this.#bus?.close();
    this.#bus = null;
  }

  /** Ends as a process that is killed a moment after it had written what it had to. */
  async kill(): Promise<void> {
    for (const timer of [...this.#timers]) timer();
    await this.#quiet();
    this.#bus = null;
    this.disk = this.disk.restart();
  }

  /** What is on the bus now, surely. */
  events(): OrgLoopEvent[] {
    return this.#events
      .filter(({ published, ack }) => published === "yes" && ack === "no")
      .map(({ event }) => event);
  }

  async #step(each: Step): Promise<void> {
    switch (each.do) {
      case "publish":
        for (let index = 0; index < each.count; index += 1) {
          this.#count += 1;
          this.#publish({
            id: `evt_${this.#count}`,
            timestamp: "2026-01-01T00:00:00Z",
            source: `source-${each.source}`,
            type: "resource.changed",
            provenance: { platform: "test" },
            payload: { text: "aé".repeat(each.size / 2) },
            trace_id: `trc_${this.#count}`,
          });
        }
        return;
      case "publishAgain": {
        const known = this.#pick(
          each.pick,
          ({ published, ack }) => published === "yes" && ack === "no",
        );
        if (known !== null)
          await Promise.race([this.#bus?.publish(known.event).catch(() => {}), this.#quiet()]);
        return;
      }
      case "ack":
        this.#ack(
          this.#pick(each.pick, ({ published, ack }) => published === "yes" && ack !== "yes"),
        );
        return;
      case "settle": {
        const known = this.#pick(
          each.pick,
          ({ published, ack }) => published === "yes" && ack === "no",
        );
        if (known !== null) this.#settle(known, `route ${each.route}`);
        return;
      }
      case "quiet":
        return this.#quiet();
      case "ticks":
        for (let index = 0; index < each.count; index += 1) await Promise.resolve();
        return;
      case "hour":
        this.#clock += 3_600_000;
        return;
      case "second":
        for (const timer of [...this.#timers]) timer();
        return;
      case "close": {
        await Promise.race([this.#bus?.close().catch(() => {}), this.#quiet()]);
        return this.#restart(false);
      }
      case "kill":
        return this.#restart(false);
      case "full": {
        let used = 0;
        for (const bytes of this.disk.files().values()) used += bytes.length;
        this.disk.capacity = used + each.room;
        return;
      }
      case "free":
        this.#clearFaults();
        return;
      case "failWrite":
        this.#failOnce("write", 0, { code: each.code, written: each.written });
        return;
      case "failSync":
        this.#failOnce("sync", each.after, { code: "EIO" });
        return;
      case "failRename":
        this.#failOnce("rename", each.after, { code: "EIO" });
        return;
      case "failDirectorySync":
        this.#failOnce("syncDirectory", each.after, { code: "EIO" });
        return;
      case "crash":
        this.disk.crashAt = this.disk.operations + 1 + each.after;
        await this.#quiet();
        return this.#restart(true);
    }
  }

  #publish(event: OrgLoopEvent): void {
    const known: Known = {
      event,
      published: "pending",
      routes: new Set(),
      durableRoutes: new Set(),
      ack: "no",
      attempt: 0,
    };
    this.#events.push(known);
    const bus = this.#bus;
    bus?.publish(event).then(
      () => {
        if (this.#bus === bus) known.published = "yes";
      },
      (error) => {
        if (this.#bus !== bus) return;
        if (hasCode(error, "WAL_FAILED")) known.published = "maybe";
        else this.#events.splice(this.#events.indexOf(known), 1);
      },
    );
  }

  #ack(known: Known | null): void {
    if (known === null) return;
    known.ack = "pending";
    const bus = this.#bus;
    bus?.ack(known.event.id).then(
      () => {
        if (this.#bus === bus) known.ack = "yes";
      },
      () => undefined,
    );
  }

  #settle(known: Known, route: string): void {
    known.routes.add(route);
    const bus = this.#bus;
    bus?.settle(known.event.id, route).then(
      () => {
        if (this.#bus === bus) known.durableRoutes.add(route);
      },
      () => undefined,
    );
  }

  #pick(index: number, fits: (known: Known) => boolean): Known | null {
    const fitting = this.#events.filter(fits);
    return fitting[index % fitting.length] ?? null;
  }

  /**
   * The next process, after a power cut or only a kill; then what it finds is held against what was
   * promised.
   */
  async #restart(powerCut: boolean): Promise<void> {
    this.#bus = null;
    this.disk = powerCut ? this.disk.crash(this.#random) : this.disk.restart();
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#broken = false;
    this.#timers = new Set();
    const { fileSystem, lock } = this.disk;
    const bus = await openFileBus({
      dir: "/wal",
      fileSystem,
      lock,
      rotate: { maxBytes: 1_500, maxAgeMs: 3_600_000 },
      now: () => this.#clock,
      setTimer: (callback) => {
        this.#timers.add(callback);
        return () => this.#timers.delete(callback);
      },
      onEvent: (entry) => {
        if (entry.phase === "wal.repair") this.repairs.push(entry);
      },
    });
    this.#bus = bus;
    void bus.failed.then(() => {
      if (this.#bus === bus) this.#broken = true;
    });
    await this.#compare(bus);
  }

  async #compare(bus: FileBus): Promise<void> {
    const found = new Map<string, { attempt: number; settled: ReadonlySet<string> }>();
    const subscription = bus.subscribe({}, async ({ id }, receipt) => {
      found.set(id, receipt);
    });
    const unacked = await bus.unacked();
    await new Promise((resolve) => setImmediate(resolve));
    await subscription.unsubscribe();
    expect(found.size).toBe(unacked.length);
    const byId = new Map(unacked.map((event) => [event.id, event]));
    expect(byId.size).toBe(unacked.length);
    for (const known of this.#events) {
      const { event, ack, published, routes, durableRoutes } = known;
      const there = byId.get(event.id);
      if (ack === "yes") expect(there, `${event.id} was acked`).toBeUndefined();
      if (published === "yes" && ack === "no") expect(there, `${event.id} is lost`).toBeDefined();
      if (there !== undefined) expect(there).toEqual(event);
      const settled = found.get(event.id)?.settled;
      for (const route of durableRoutes) {
        if (settled !== undefined) expect(settled.has(route), `${event.id} ${route}`).toBe(true);
      }
      for (const route of settled ?? []) expect(routes.has(route)).toBe(true);
    }
    const before = this.#events;
    this.#events = before.filter(({ event }) => byId.has(event.id));
    expect(unacked.map(({ id }) => id)).toEqual(this.#events.map(({ event }) => event.id));
    for (const known of this.#events) {
      const receipt = found.get(known.event.id);
      if (receipt !== undefined) {
        expect(receipt.attempt).toBeGreaterThan(known.attempt === 0 ? 1 : known.attempt);
        known.attempt = receipt.attempt;
        known.durableRoutes.clear();
        for (const route of receipt.settled) known.durableRoutes.add(route);
      }
      known.published = "yes";
      known.ack = "no";
    }
  }

  #clearFaults(): void {
    this.disk.capacity = Number.POSITIVE_INFINITY;
    this.disk.fault = null;
  }

  #failOnce(kind: string, after: number, fault: { code: string; written?: number }): void {
    let left = after;
    this.disk.fault = (operation) => {
      if (operation.kind !== kind || left-- > 0) return null;
      this.disk.fault = null;
      return fault;
    };
  }

  /** Until the disk has nothing to do. */
  async #quiet(): Promise<void> {
    for (let before = -1; before !== this.disk.operations; ) {
      before = this.disk.operations;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
