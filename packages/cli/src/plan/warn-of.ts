import type { Problem } from "@orgloop/sdk";
import { problemLine } from "../project/read-project.ts";
import type { Output } from "../terminal/output.ts";

const MOST = 10;

/** Says what is doubtful in the configuration; where that is much, `validate` lists it. */
export function warnOf(warnings: readonly Problem[], output: Output): void {
  for (const warning of warnings.slice(0, MOST)) output.warn(problemLine(warning));
  const rest = warnings.length - MOST;
  if (rest > 0) output.warn(`and ${rest} more: \`orgloop validate\` lists them`);
}
