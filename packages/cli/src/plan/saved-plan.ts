import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import {
  holdsWrittenSecrets,
  type PlanDocument,
  type PlanState,
  topologyHash,
} from "@orgloop/config";
import { hasCode, messageOf, parseJson, type Topology } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";
import { planReport } from "./survey-plan.ts";
import type { SurveyedPlan } from "./surveyed-plan.ts";

/** A plan as `plan --out` saves it and `apply FILE` takes it. It holds references, not secrets. */
export interface SavedPlan {
  readonly format_version: "1.0";
  readonly project: string;
  readonly workspace: string;
  /** What it was made from. */
  readonly state: PlanState;
  /** `topologyHash` of `topology`. */
  readonly hash: string;
  /**
   * What is to run. Its items stand in the order of the files, since that is the order in which
   * routes fire.
   */
  readonly topology: Topology;
  /** What `plan --json` printed. */
  readonly plan: PlanDocument;
}

/**
 * Throws `SECRET_WRITTEN_OUT` where it would hold a secret. Writes it, readable by its owner only;
 * whoever reads the file finds the old contents or the new ones.
 */
export async function savePlan(file: string, survey: SurveyedPlan): Promise<void> {
  const { desired: topology, workspace, state } = survey;
  if (holdsWrittenSecrets(topology)) {
    const message = `the plan is not saved in ${file}, since it would hold a secret that is written out: \`orgloop validate\` says where`;
    throw new CommandError("SECRET_WRITTEN_OUT", message);
  }
  const saved: SavedPlan = {
    format_version: "1.0",
    project: topology.project,
    workspace,
    state,
    hash: topologyHash(topology),
    topology,
    plan: planReport(survey),
  };
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(saved)}\n`, { mode: 0o600, flag: "wx" });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    const message = `the plan cannot be saved in ${file}: ${messageOf(error)}`;
    throw new CommandError("NOT_SAVED", message, { cause: error });
  }
}

/** Throws `BAD_PLAN` for what is no saved plan, or was changed since. */
export async function readSavedPlan(file: string): Promise<SavedPlan> {
  let saved: SavedPlan;
  try {
    saved = parseJson(await readFile(file)) as SavedPlan;
  } catch (error) {
    if (hasCode(error, "ENOENT")) {
      const message = `there is no ${file}: \`orgloop plan --out FILE\` writes one`;
      throw new CommandError("NO_PLAN", message, { cause: error });
    }
    const why = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
    throw badPlan(file, why, error);
  }
  if (saved?.format_version !== "1.0") {
    throw badPlan(file, 'expected what `orgloop plan --out FILE` writes, format_version "1.0"');
  }
  const { project, workspace, state, hash, topology } = saved;
  let found: string | null = null;
  try {
    found = topologyHash(topology);
  } catch {
    // No topology at all: its hash cannot be right.
  }
  const whole =
    typeof project === "string" && typeof workspace === "string" && Number.isInteger(state?.serial);
  if (!whole || found !== hash) throw badPlan(file, "it was changed since it was saved");
  return saved;
}

function badPlan(file: string, why: string, cause?: unknown): CommandError {
  return new CommandError("BAD_PLAN", `${file} is no saved plan: ${why}; make a new one`, {
    cause,
  });
}

/** A state in a message: `serial 7 (3fa9c1d2e8b0)`. */
export function stateName({ serial, hash }: PlanState): string {
  return hash === null ? "nothing applied" : `serial ${serial} (${hash.slice(0, 12)})`;
}
