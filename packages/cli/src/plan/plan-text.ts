import {
  changeOrigin,
  type Difference,
  type LoadedProject,
  type Plan,
  type PlanAction,
  type PlanChange,
  type PlanKind,
  type Provenance,
} from "@orgloop/config";
import { formatPath, ownSecretsOf, withoutSecrets } from "@orgloop/engine";
import { counted } from "../terminal/counted.ts";
import type { Output, Style } from "../terminal/output.ts";
import { shortValue } from "../terminal/value-table.ts";
import { reasonOf, removalReason } from "./change-reason.ts";
import type { Loss } from "./losses.ts";
import { planGroups } from "./plan-groups.ts";
import { textChange } from "./text-change.ts";

/** How much is shown; beyond it, what is left out is counted. */
export interface PlanLimits {
  readonly groups: number;
  /** Entries of one kind and action in a group. */
  readonly entries: number;
  /** Differences of one entry. */
  readonly differences: number;
}

/** What fits a screen or two; less of each where much changes. */
export const briefLimits = ({ changes }: Pick<Plan, "changes">): PlanLimits =>
  changes.length > 500
    ? { groups: 40, entries: 4, differences: 6 }
    : { groups: 40, entries: 12, differences: 12 };
export const WHOLE: PlanLimits = {
  groups: Number.POSITIVE_INFINITY,
  entries: Number.POSITIVE_INFINITY,
  differences: Number.POSITIVE_INFINITY,
};

export interface PlanTextOptions {
  readonly project: Pick<LoadedProject, "provenance" | "instances" | "topology">;
  readonly losses: readonly Loss[];
  readonly limits: PlanLimits;
  readonly style: Output["style"];
}

const MARKS: Readonly<Record<PlanAction, [string, Style]>> = {
  add: ["+", "green"],
  change: ["~", "yellow"],
  remove: ["-", "red"],
};
const DONE: Readonly<Record<PlanAction, string>> = {
  add: "added",
  change: "changed",
  remove: "removed",
};
/** So many items that change alike are told in one entry. */
const ALIKE = 3;

/** The changes of a plan, by team and module, in lines; without the summary. */
export function planLines(plan: Plan, options: PlanTextOptions): string[] {
  const groups = planGroups(plan.changes, options.project);
  const shown = groups.slice(0, options.limits.groups);
  const lines = shown.flatMap(({ heading, changes }) => [
    "",
    options.style("bold", heading),
    ...groupLines(changes, options),
  ]);
  const rest = groups.slice(shown.length).flatMap(({ changes }) => changes);
  if (rest.length === 0) return lines;
  const where = counted(
    groups.length - shown.length,
    "further team or module",
    "further teams and modules",
  );
  return [
    ...lines,
    "",
    `… and ${counted(rest.length, "change")} in ${where}; --verbose shows them, --json lists them`,
  ];
}

function groupLines(changes: readonly PlanChange[], options: PlanTextOptions): string[] {
  const lines: string[] = [];
  for (const same of Map.groupBy(changes, ({ kind, action }) => `${action} ${kind}`).values()) {
    const entries = entriesOf(same, options.limits.entries);
    const shown = entries.slice(0, options.limits.entries);
    lines.push(...shown.flatMap((entry) => entryLines(entry, options)));
    const left = entries.slice(shown.length).flat();
    const [{ kind, action } = { kind: "route", action: "change" } as const] = left;
    if (left.length > 0)
      lines.push(`    … and ${kinds(left.length, kind, "more ")} ${DONE[action]}`);
  }
  return lines;
}

/**
 * Those that change alike in one entry, where they are many, and so those that come or go, where
 * they are more than `most`; each other one is an entry of its own.
 */
function entriesOf(changes: readonly PlanChange[], most: number): PlanChange[][] {
  const many = changes.length > most;
  const alike = Map.groupBy(changes, (change) => {
    if (change.action === "change") return JSON.stringify(change.differences);
    return many ? change.action : change;
  });
  return [...alike.values()].flatMap((members) =>
    members.length >= ALIKE ? [members] : members.map((one) => [one]),
  );
}

function entryLines(members: readonly PlanChange[], options: PlanTextOptions): string[] {
  const [first] = members as [PlanChange];
  const { kind, name, action } = first;
  const { project, losses, style, limits } = options;
  const [mark, color] = MARKS[action];
  const loss = losses.find((one) => one.kind === kind && one.name === name);
  const alone = members.length === 1;
  const heading = [
    `  ${style(color, `${mark} ${alone ? `${kind} ${name}` : manyNames(members)}`)}`,
    ...(alone && action === "add" ? [essence(kind, first.to)] : []),
    ...(alone && action !== "change" ? [style("dim", wholeReason(first, project.provenance))] : []),
    ...(loss === undefined ? [] : [style("red", `! ${lossText(loss)}`)]),
  ];
  const shown = first.differences.slice(0, limits.differences);
  const rest = first.differences.length - shown.length;
  return [
    heading.filter((part) => part !== "").join("  "),
    ...shown.flatMap((one) => differenceLines(first, one, options)),
    ...(rest > 0 ? [`      … and ${counted(rest, "more value")}`] : []),
  ];
}

function manyNames(members: readonly PlanChange[]): string {
  const [{ kind }] = members as [PlanChange];
  const names = members.slice(0, 3).map(({ name }) => name);
  const rest = members.length - names.length;
  return `${kinds(members.length, kind)}: ${names.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

function kinds(count: number, kind: PlanKind, before = ""): string {
  return counted(count, `${before}${kind}`, `${before}${kind === "bus" ? "buses" : `${kind}s`}`);
}

function wholeReason(change: PlanChange, provenance: Provenance): string {
  if (change.action === "remove") return removalReason(provenance, change.kind, change.name);
  const origin = changeOrigin(change, provenance);
  return origin === null ? "" : `${origin.file}:${origin.line}`;
}

function differenceLines(
  change: PlanChange,
  difference: Difference,
  { project, style }: PlanTextOptions,
): string[] {
  const { kind, name } = change;
  const { path, from, to } = difference;
  const reason =
    contentsOf(change, difference) ?? reasonOf(project.provenance, kind, name, difference);
  const because = reason === "" ? "" : `  ${style("dim", reason)}`;
  const [before, after] = [
    withoutSecrets(from, path, ownSecretsOf(change.from, change.to)),
    withoutSecrets(to, path, ownSecretsOf(change.to, change.from)),
  ];
  if (typeof before === "string" && typeof after === "string" && /\n/.test(before + after)) {
    const { heading, lines } = textChange(before, after);
    return [
      `      ${formatPath(path)}: ${heading}${because}`,
      ...lines.map((it) => `        ${it}`),
    ];
  }
  const value = (side: unknown) => (side === undefined ? "(none)" : shortValue(side, 80));
  return [`      ${formatPath(path)}: ${value(before)} → ${value(after)}${because}`];
}

/**
 * The file of a prompt, a script or a schema whose contents changed: they are written there, not
 * where it is named.
 */
function contentsOf({ kind, to }: PlanChange, { path }: Difference): string | null {
  if (kind === "transform" && path[0] === "script_sha256") return Object(to).script ?? null;
  if (kind === "source" && path[0] === "schemas" && path[2] === "text") {
    return Object(to).schemas?.[String(path[1])]?.file ?? null;
  }
  const contents = path[0] === "with" && path[1] === "prompt" && path[2] !== "file";
  return kind === "route" && contents ? (Object(to).with?.prompt?.file ?? null) : null;
}

/** What a new item is, in a word. */
function essence(kind: PlanKind, item: unknown): string {
  const { connector, when, then, type, package: name, script } = Object(item);
  if (kind === "source" || kind === "actor") return `(${connector})`;
  if (kind === "route") return `(${when?.source?.join(", ")} → ${then?.actor})`;
  if (kind === "transform") return `(${script ?? name})`;
  return kind === "logger" ? `(${type})` : "";
}

/** What is lost with one change. */
export function lossText({ kind, checkpoint, queued }: Loss): string {
  if (checkpoint) return "its checkpoint goes: it would begin anew";
  if (queued === null) return "what waits there is not known: the log is damaged";
  const events = counted(queued, "event");
  const wait = queued === 1 ? "waits" : "wait";
  return kind === "bus" ? `${events} ${wait} on the old bus` : `${events} queued`;
}
