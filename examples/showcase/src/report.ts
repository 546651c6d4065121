import type { LogEntry } from "@orgloop/sdk";

interface Row {
  matched: number;
  delivered: number;
  dropped: number;
  retried: number;
  dead: number;
}

/** Follows the event log: the sums by source and route. */
export class Report {
  readonly #received = new Map<string, number>();
  readonly #routes = new Map<string, Row>();
  #unrouted = 0;

  receivedFrom(source: string): number {
    return this.#received.get(source) ?? 0;
  }

  take(entry: LogEntry): void {
    const { phase, source = "" } = entry;
    if (phase === "source.emit") {
      this.#received.set(source, (this.#received.get(source) ?? 0) + 1);
    }
    this.#count(entry);
  }

  #count({ phase, route }: LogEntry): void {
    if (phase === "route.no_match") this.#unrouted += 1;
    if (phase === "source.emit" || route === undefined) return;
    const row = this.#routes.get(route) ?? {
      matched: 0,
      delivered: 0,
      dropped: 0,
      retried: 0,
      dead: 0,
    };
    this.#routes.set(route, row);
    if (phase === "route.match") row.matched += 1;
    if (phase === "deliver.success") row.delivered += 1;
    if (phase === "transform.drop" || phase === "transform.error_drop") row.dropped += 1;
    if (phase === "deliver.retry") row.retried += 1;
    if (phase === "deliver.dead_letter") row.dead += 1;
  }

  /** Matched routes without an outcome yet. */
  get pending(): number {
    let pending = 0;
    for (const { matched, delivered, dropped, dead } of this.#routes.values()) {
      pending += matched - delivered - dropped - dead;
    }
    return pending;
  }

  /** The table. */
  toString(): string {
    const lines = [
      ["source", "received"],
      ...[...this.#received].map(([source, count]) => [source, String(count)]),
      [],
      ["route", "matched", "delivered", "dropped", "retried", "dead"],
      ...[...this.#routes]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([route, row]) => [route, ...Object.values(row).map(String)]),
      ["(no route)", String(this.#unrouted)],
    ];
    return lines
      .map(([first = "", ...cells]) => {
        const row = first.padEnd(24) + cells.map((cell) => cell.padStart(11)).join("");
        return row.trimEnd();
      })
      .join("\n");
  }
}
