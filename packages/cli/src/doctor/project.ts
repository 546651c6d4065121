import type { LoadedProject } from "@orgloop/config";
import { wantedVariables } from "../commands/env.ts";
import { problemLine } from "../project/read-project.ts";
import type { Check } from "./check.ts";

export function checkProject({ errors, warnings, manifestFile }: LoadedProject): Check {
  const check = { category: "config", name: "project" };
  const [first] = errors;
  if (first !== undefined) {
    const message = `${errors.length} errors, the first: ${problemLine(first)}`;
    return { ...check, status: "error", message };
  }
  const others = warnings.filter(({ code }) => code !== "missing-variable");
  return others[0] === undefined
    ? { ...check, status: "ok", message: manifestFile }
    : {
        ...check,
        status: "degraded",
        message: `${others.length} warnings, the first: ${problemLine(others[0])}`,
      };
}

/** One check a variable: what is not set keeps the project from starting. */
export function checkVariables(project: LoadedProject): Check[] {
  return wantedVariables(project).map(({ name, set, uses }) => ({
    category: "variable",
    name,
    status: set ? "ok" : "error",
    message: set ? "is set" : `is not set; used at ${uses[0]?.file}:${uses[0]?.line}`,
  }));
}
