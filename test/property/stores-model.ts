import { HEALTHY } from "@orgloop/engine";
import type { ClaimStore, DeadLetterStore, InboxStore, RouteStateStore } from "@orgloop/sdk";
import { fileClaims, fileDeadLetters, fileInbox, fileRouteStates } from "@orgloop/stores";
import {
  type CrashFileSystem,
  crashFileSystem,
  sampleDeadLetter,
  sampleInboxEntry,
  seeded,
} from "@orgloop/testkit";
import { expect } from "vitest";

export const STORES = ["letters", "inbox", "routes", "claims"] as const;
export type StoreName = (typeof STORES)[number];

/** Writes these keys at once; null removes. */
interface Write {
  readonly do: "write";
  readonly store: StoreName;
  readonly keys: readonly number[];
  readonly value: number | null;
  readonly size: number;
}

export type Step =
  | Write
  /** The process, or the machine, dies after so many operations of the disk. */
  | { readonly do: "kill" | "powerCut"; readonly after: number }
  | { readonly do: "stop" }
  /** The next sync fails, as a bad disk makes it. */
  | { readonly do: "failSync" };

interface Opened {
  readonly letters: DeadLetterStore;
  readonly inbox: InboxStore;
  readonly routes: RouteStateStore;
  readonly claims: ClaimStore;
}

/** Values that a key may have after a crash; null: none. */
type Possible = Set<number | null>;

const DIR = "/data";
const DAY_MS = 86_400_000;

/**
 * What was acknowledged, and what may have happened besides, beside the stores on a disk that
 * crashes.
 */
export class StoresModel {
  disk: CrashFileSystem = crashFileSystem();
  readonly #random: () => number;
  readonly #possible = new Map<string, Possible>();
  /** Who has claimed a key. */
  readonly #claims = new Map<string, string>();
  readonly #warnings: string[] = [];
  /** Claims are then kept in memory only. */
  #syncFailed = false;
  #stores: Opened | null = null;
  #ends: "kill" | "powerCut" | null = null;
  #lastEnd: "kill" | "powerCut" | "stop" = "stop";

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.#open();
    for (const step of steps) await this.#take(step);
    this.#die("powerCut");
    await this.#open();
    this.#die("powerCut");
    await this.#open();
  }

  async #take(step: Step): Promise<void> {
    if ("keys" in step) {
      await this.#orDeath(Promise.all(step.keys.map((key) => this.#write(step, key))));
    } else if (step.do === "kill" || step.do === "powerCut") {
      this.#ends = step.do;
      this.disk.crashAt = this.disk.operations + step.after;
    } else if (step.do === "failSync") {
      let failed = false;
      this.disk.fault = ({ kind }) => {
        if (kind !== "sync" || failed) return null;
        failed = true;
        this.#syncFailed = true;
        return { code: "EIO" };
      };
    } else {
      await this.#orDeath(this.#stop());
    }
  }

  /** Goes on with the next process where this one dies meanwhile. */
  async #orDeath(task: Promise<unknown>): Promise<void> {
    const died = await Promise.race([task.then(() => false), this.disk.crashed.then(() => true)]);
    if (!died) return;
    this.#die(this.#ends ?? "kill");
    await this.#open();
  }

  async #stop(): Promise<void> {
    for (const store of Object.values(this.#stores as Opened)) await store.close?.();
    this.disk = this.disk.crash(this.#random);
    this.#lastEnd = "stop";
    await this.#open();
  }

  async #write({ store, value, size }: Write, key: number): Promise<void> {
    const stores = this.#stores as Opened;
    const name = `${store} ${key}`;
    try {
      if (store === "claims") {
        const isHeld = await stores.claims.claim(name, `evt_${value}`, DAY_MS, 0);
        await stores.claims.written?.();
        if (isHeld) this.#claims.set(name, `evt_${value}`);
        return;
      }
      const possible = this.#possible.get(name) ?? new Set([null]);
      this.#possible.set(name, possible.add(value));
      await writeTo(stores, store, key, value, "x".repeat(size));
      this.#possible.set(name, new Set([value]));
    } catch (error) {
      expect(String(error)).toMatch(/EIO|could not be made durable/);
    }
  }

  #die(how: "kill" | "powerCut"): void {
    this.#lastEnd = how;
    this.disk = how === "kill" ? this.disk.restart() : this.disk.crash(this.#random);
    this.#stores = null;
    this.#ends = null;
  }

  async #open(): Promise<void> {
    const { fileSystem } = this.disk;
    const warn = (message: string) => this.#warnings.push(message);
    this.#stores = {
      letters: await fileDeadLetters({ dir: `${DIR}/dead-letters`, fileSystem, warn }),
      inbox: await fileInbox({ dir: `${DIR}/inbox`, fileSystem, warn }),
      routes: await fileRouteStates({ file: `${DIR}/route-state.jsonl`, fileSystem, warn }),
      claims: await fileClaims({ dir: `${DIR}/claims`, fileSystem, warn }),
    };
    // A crash is no damage.
    expect(this.#warnings.filter((text) => /damaged|gone|older/.test(text))).toEqual([]);
    await this.#compare();
  }

  /** What is there is what may be there, and from now on certain. */
  async #compare(): Promise<void> {
    const found = await contents(this.#stores as Opened);
    for (const name of found.keys()) expect([...this.#possible.keys()]).toContain(name);
    for (const [name, possible] of this.#possible) {
      const value = found.get(name) ?? null;
      expect([...possible], `${name} is ${value}`).toContain(value);
      this.#possible.set(name, new Set([value]));
    }
    await this.#compareClaims((this.#stores as Opened).claims);
  }

  /**
   * Claims are not synced: a power cut may lose them, and nothing else may; nobody else ever holds
   * them.
   */
  async #compareClaims(claims: ClaimStore): Promise<void> {
    const mayBeLost = this.#lastEnd === "powerCut" || this.#syncFailed;
    for (const [key, holder] of this.#claims) {
      if (!mayBeLost) expect(await claims.claim(key, "evt_other", DAY_MS, 1)).toBe(false);
      expect(await claims.claim(key, holder, DAY_MS, 1)).toBe(true);
      await claims.written?.();
    }
  }
}

async function writeTo(
  { letters, inbox, routes }: Opened,
  store: StoreName,
  key: number,
  value: number | null,
  text: string,
): Promise<void> {
  if (store === "letters") {
    if (value === null) await letters.remove([`dl_${key}`]);
    else await letters.put({ ...sampleDeadLetter(key, text), attempts: value });
  } else if (store === "inbox") {
    if (value === null) await inbox.remove("agent", [`in_${key}`]);
    else await inbox.put({ ...sampleInboxEntry(key, "agent", text), max_batch: value });
  } else {
    await routes.save(`r${key}`, value === null ? null : { ...HEALTHY, rateMs: value });
  }
}

async function contents({ letters, inbox, routes }: Opened): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { id, attempts } of letters.list()) {
    found.set(`letters ${id.slice(3)}`, attempts);
    expect(await letters.get(id)).toMatchObject({ id, attempts });
  }
  for (const { id, max_batch } of await inbox.list("agent", 1_000)) {
    found.set(`inbox ${id.slice(3)}`, max_batch);
  }
  for (const [route, { rateMs }] of await routes.load()) {
    found.set(`routes ${route.slice(1)}`, rateMs as number);
  }
  return found;
}
