import { formatDuration } from "@orgloop/sdk";
import type { Status } from "./status-form.ts";
import { textTable } from "./text-table.ts";

/** `status` for people; `refusal`: why no events are taken in now, and what to do about it. */
export function statusText(
  name: string,
  where: string,
  report: Status,
  refusal: string | null = null,
): string {
  const { workspace, running, bus, uptime_ms, sources, routes, actors, draining } = report;
  const seconds = Math.ceil(uptime_ms / 1_000) * 1_000;
  const unacked =
    report.unacked === null ? "its log is damaged" : `${report.unacked} events unacked`;
  const state = running ? `runs for ${formatDuration(seconds)}` : "does not run";
  const tables = [
    textTable(
      ["SOURCE", "CONNECTOR", "STATE", "EVENTS", "LAST POLL"],
      sources.map((it) => [
        it.id,
        it.connector,
        it.state,
        count(it.events),
        it.last_poll_at ?? "-",
      ]),
    ),
    textTable(
      ["ROUTE", "MATCHED", "DELIVERED", "FAILED", "CIRCUIT"],
      routes.map((it) => [
        it.name,
        count(it.matched),
        count(it.delivered),
        count(it.failed),
        it.circuit,
      ]),
    ),
    textTable(
      ["ACTOR", "QUEUED", "IN FLIGHT"],
      actors.map((it) => [it.id, `${it.queued}/${it.queue_depth}`, `${it.in_flight}`]),
    ),
    ...(draining === undefined
      ? []
      : [
          textTable(
            ["REMOVED, DRAINS", "QUEUED", "IN FLIGHT", "DEAD LETTERS"],
            draining.map((it) => [it.id, it.queued, it.in_flight, it.dead_letters].map(String)),
          ),
        ]),
  ];
  return [
    `${name} (workspace ${workspace}) ${state} (${where})`,
    `bus ${bus}, ${unacked}, ${report.dead_letters} dead letters`,
    ...(refusal === null ? [] : [`TAKES NO EVENTS NOW: ${refusal}`]),
    "",
    tables.join("\n\n"),
  ].join("\n");
}

const count = (value: number | null): string => (value === null ? "-" : String(value));
