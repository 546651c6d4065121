import { formatPath, ownSecretsOf, withoutSecrets } from "@orgloop/engine";
import type { Plan, PlanAction, PlanChange, PlanKind } from "./plan-topology.ts";
import { type Provenance, settingOrigin, type ValueOrigin, valueOrigin } from "./value-origin.ts";

/** The state that a plan was made from. */
export interface PlanState {
  /** Counts the applies of the workspace; 0: nothing was applied. */
  readonly serial: number;
  /** `topologyHash` of what was applied; null: nothing was. */
  readonly hash: string | null;
}

/** `plan --json` (`docs/commands.md`): versioned and deterministic. */
export interface PlanDocument {
  readonly format_version: "1.0";
  readonly workspace: string;
  readonly state: PlanState;
  readonly summary: Readonly<Record<PlanAction, number>>;
  readonly changes: readonly PlanDocumentChange[];
}

export interface PlanDocumentChange {
  readonly kind: PlanKind;
  readonly name: string;
  readonly action: PlanAction;
  /** What differs, e.g. `when.filter.type`; empty where the whole item comes or goes. */
  readonly paths: readonly string[];
  /** Of a change: path → value, without the paths that have none. Else the whole item, or null. */
  readonly from: unknown;
  readonly to: unknown;
  /**
   * Where the first of `paths` that is written anywhere is, else the item. Null for what goes and
   * for a built-in default.
   */
  readonly file: string | null;
  readonly line: number | null;
}

function side(change: PlanChange, which: "from" | "to"): unknown {
  if (change.action !== "change") return withoutSecrets(change[which]);
  const own = ownSecretsOf(change[which], change.from, change.to);
  return Object.fromEntries(
    change.differences
      .filter((one) => one[which] !== undefined)
      .map((one) => [formatPath(one.path), withoutSecrets(one[which], one.path, own)]),
  );
}

/** Where what a change does is written; null for what goes and for a built-in default. */
export function changeOrigin(
  { kind, name, action, differences }: PlanChange,
  provenance: Provenance,
): ValueOrigin | null {
  if (action === "remove") return null;
  for (const { path } of differences) {
    const found =
      kind === "bus" || kind === "workspace"
        ? settingOrigin(provenance, kind === "bus" ? ["bus"] : path)
        : valueOrigin(provenance, kind, name, path);
    if (found !== null) return found;
  }
  return kind === "bus" || kind === "workspace" ? null : valueOrigin(provenance, kind, name, []);
}

/** A plan as `plan --json` prints it; `provenance` is that of the project it leads to. */
export function planDocument(
  plan: Plan,
  {
    workspace,
    state,
    provenance,
  }: {
    readonly workspace: string;
    readonly state: PlanState;
    readonly provenance: Provenance;
  },
): PlanDocument {
  return {
    format_version: "1.0",
    workspace,
    state,
    summary: plan.counts,
    changes: plan.changes.map((change) => {
      const origin = changeOrigin(change, provenance);
      return {
        kind: change.kind,
        name: change.name,
        action: change.action,
        paths: change.differences.map(({ path }) => formatPath(path)),
        from: side(change, "from"),
        to: side(change, "to"),
        file: origin?.file ?? null,
        line: origin?.line ?? null,
      };
    }),
  };
}
