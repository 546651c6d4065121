import { styleText } from "node:util";
import type { LogEntry } from "@orgloop/sdk";

interface Row {
  matched: number;
  delivered: number;
  dropped: number;
  retried: number;
  dead: number;
}

const MARKS: Partial<Record<LogEntry["phase"], [string, "green" | "yellow" | "red" | "dim"]>> = {
  "deliver.success": ["✓ delivered", "green"],
  "transform.drop": ["– dropped", "yellow"],
  "transform.error_drop": ["– dropped", "yellow"],
  "route.no_match": ["· no route", "dim"],
  "deliver.retry": ["↻ retry", "yellow"],
  "deliver.dead_letter": ["✗ dead letter", "red"],
  "source.refused": ["✗ refused", "red"],
};

/**
 * Follows the event log: a line for everything that becomes of an event, and the sums by source and
 * route.
 */
export class Report {
  readonly #received = new Map<string, number>();
  readonly #routes = new Map<string, Row>();
  readonly #names = new Map<string, string>();
  #unrouted = 0;

  receivedFrom(source: string): number {
    return this.#received.get(source) ?? 0;
  }

  /** Takes one entry; returns the line to show, if it is worth one. */
  take(entry: LogEntry): string | undefined {
    const { phase, event_id: id = "", source = "" } = entry;
    if (phase === "source.emit") {
      this.#received.set(source, (this.#received.get(source) ?? 0) + 1);
      this.#names.set(id, String(entry.metadata?.platform_event ?? entry.event_type));
    }
    this.#count(entry);
    const mark = MARKS[phase];
    if (mark === undefined) return undefined;
    const [text, colour] = mark;
    const to = entry.route === undefined ? "" : ` → ${entry.route} → ${entry.target}`;
    const why = entry.transform ?? entry.error ?? "";
    const name = this.#names.get(id) ?? id;
    return `${styleText(colour, text.padEnd(13))} ${source}: ${name}${to} ${styleText("dim", why)}`.trimEnd();
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
