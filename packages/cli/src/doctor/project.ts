import type { LoadedProject } from "@orgloop/config";
import { wantedVariables } from "../commands/env.ts";
import { problemLine } from "../project/read-project.ts";
import { counted } from "../terminal/counted.ts";
import type { Check } from "./check.ts";

const which = (count: number) => (count === 1 ? "" : ", the first");

export function checkProject({ errors, warnings, manifestFile }: LoadedProject): Check {
  const check = { category: "config", name: "project" };
  const [first] = errors;
  if (first !== undefined) {
    const message = `${counted(errors.length, "error")}${which(errors.length)}: ${problemLine(first)}`;
    return { ...check, status: "error", message };
  }
  const others = warnings.filter(({ code }) => code !== "missing-variable");
  return others[0] === undefined
    ? { ...check, status: "ok", message: manifestFile }
    : {
        ...check,
        status: "degraded",
        message: `${counted(others.length, "warning")}${which(others.length)}: ${problemLine(others[0])}`,
      };
}

/**
 * One check a variable: what is not set keeps the project from starting. `unset`: those that a
 * running process has not; null: none runs, and the environment of this command counts.
 */
export function checkVariables(
  project: Pick<LoadedProject, "variables">,
  unset: readonly string[] | null,
): Check[] {
  return wantedVariables(project).map(({ name, set, uses }) => {
    const isSet = unset === null ? set : !unset.includes(name);
    const where = unset === null ? "" : " in the running process";
    const at = `${uses[0]?.file}:${uses[0]?.line}`;
    return {
      category: "variable",
      name,
      status: isSet ? "ok" : "error",
      message: isSet ? `is set${where}` : `is not set${where}; used at ${at}`,
    };
  });
}
