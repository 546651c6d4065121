import type { ProcessStatus, RouteStatus } from "@orgloop/node";
import { formatDuration, type Problem } from "@orgloop/sdk";
import { problemLine } from "../project/read-project.ts";
import { counted } from "./counted.ts";
import type { Status } from "./status-form.ts";
import { textTable } from "./text-table.ts";

/** What only a process that runs knows. */
export type LiveStatus = Pick<ProcessStatus, "not_ready" | "routes" | "actors">;

export interface StatusDetails {
  readonly live?: LiveStatus | null;
  /** Of the files as they are now. */
  readonly errors?: readonly Problem[];
  /** Default: the clock's. */
  readonly nowMs?: number;
}

/** `status` for people, with what somebody has to do about it. */
export function statusText(
  name: string,
  where: string,
  report: Status,
  { live = null, errors = [], nowMs = Date.now() }: StatusDetails = {},
): string {
  const { workspace, running, bus, uptime_ms } = report;
  const seconds = Math.ceil(uptime_ms / 1_000) * 1_000;
  const unacked =
    report.unacked === null ? "its log is damaged" : `${counted(report.unacked, "event")} unacked`;
  const state = running ? `runs for ${formatDuration(seconds)}` : "does not run";
  return [
    `${name} (workspace ${workspace}) ${state} (${where})`,
    `bus ${bus}, ${unacked}, ${counted(report.dead_letters, "dead letter")}`,
    ...(live?.not_ready == null ? [] : [`TAKES NO EVENTS NOW: ${live.not_ready}`]),
    ...toDo(report, live, errors, nowMs),
    "",
    statusTables(report, live, nowMs).join("\n\n"),
  ].join("\n");
}

/** What each source, route and actor does. */
function statusTables(
  { sources, routes, actors, draining }: Status,
  live: LiveStatus | null,
  nowMs: number,
): string[] {
  const drops = new Map(live?.routes.map((route) => [route.name, route.dropped]));
  const oldest = new Map(live?.actors.map((actor) => [actor.id, actor.oldest_at]));
  const ofLive = (cell: string): string[] => (live === null ? [] : [cell]);
  return [
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
      ["ROUTE", "MATCHED", "DELIVERED", ...ofLive("DROPPED"), "FAILED", "CIRCUIT"],
      routes.map((it) => [
        it.name,
        count(it.matched),
        count(it.delivered),
        ...ofLive(String(drops.get(it.name) ?? 0)),
        count(it.failed),
        it.circuit,
      ]),
    ),
    textTable(
      ["ACTOR", "QUEUED", "IN FLIGHT", ...ofLive("OLDEST")],
      actors.map((it) => [
        it.id,
        `${it.queued}/${it.queue_depth}`,
        `${it.in_flight}`,
        ...ofLive(age(oldest.get(it.id) ?? null, nowMs)),
      ]),
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
}

/** What is wrong, a line each, with the command that helps. */
function toDo(
  { dead_letters, running }: Status,
  live: LiveStatus | null,
  errors: readonly Problem[],
  nowMs: number,
): string[] {
  const [first] = errors;
  const goesOn = running ? "; what was applied before goes on" : "";
  return [
    ...(live?.routes ?? []).flatMap((route) => breakerLine(route, nowMs)),
    ...(dead_letters === 0
      ? []
      : [`! ${counted(dead_letters, "dead letter")}: \`orgloop dead-letters list\` says why`]),
    ...(first === undefined
      ? []
      : [`! the files have ${counted(errors.length, "error")}${goesOn}: ${problemLine(first)}`]),
  ];
}

function breakerLine({ name, circuit, breaker }: RouteStatus, nowMs: number): string[] {
  if (circuit === "closed") return [];
  const { reason, since, next_probe_at } = breaker ?? {};
  const held = since == null ? "" : ` for ${age(since, nowMs)}`;
  const why = reason == null ? "" : `: ${reason}`;
  const inMs = next_probe_at === undefined ? 0 : Date.parse(next_probe_at) - nowMs;
  const next = inMs > 0 ? `the next try is in ${seconds(inMs)}` : "the next event is a try";
  return [`! the breaker of ${name} is ${circuit}${held}${why}; ${next}`];
}

const seconds = (ms: number): string => formatDuration(Math.ceil(ms / 1_000) * 1_000);

/** How long ago; `-` for null. */
const age = (at: string | null, nowMs: number): string =>
  at === null ? "-" : seconds(Math.max(0, nowMs - Date.parse(at)));

const count = (value: number | null): string => (value === null ? "-" : String(value));
