import type { LoadedProject, Plan, PlanState } from "@orgloop/config";
import type { AppliedState } from "@orgloop/node/applied-state";
import type { Topology } from "@orgloop/sdk";
import type { Loss } from "./losses.ts";
import type { RunningState } from "./running-state.ts";

/** Everything that is to be said of what would change. */
export interface SurveyedPlan {
  readonly project: LoadedProject;
  readonly workspace: string;
  readonly dataDir: string;
  /** Null: nothing was applied yet. */
  readonly applied: AppliedState | null;
  /** What was applied → what the files (or a saved plan) say. */
  readonly plan: Plan;
  readonly desired: Topology;
  /** The same with secrets that are written out sealed, as what was applied has them. */
  readonly sealed: Topology;
  readonly state: PlanState;
  readonly running: RunningState | null;
  /** What was applied → what runs; null where nothing runs. */
  readonly drift: Plan | null;
  readonly losses: readonly Loss[];
}

export const NOTHING_APPLIED: PlanState = { serial: 0, hash: null };
