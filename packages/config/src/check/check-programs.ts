import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { holdsReference, valueAt } from "@orgloop/engine";
import { hasCode, type PluginPart } from "@orgloop/sdk";
import { at, type Declaration } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";

/**
 * Warns of programs that are not there: where an event needs one it is tried again and again, and
 * given up. A name without `/` is found by the PATH of whoever runs it, which nobody knows here.
 */
export function checkPrograms(
  item: Declaration,
  { programs }: Pick<PluginPart<unknown, unknown>, "programs">,
  config: unknown,
  projectDir: string,
  findings: Findings,
): void {
  for (const key of typeof programs === "function" ? programs(config) : (programs ?? [])) {
    const program = valueAt(config, [key]);
    if (typeof program !== "string" || holdsReference(program)) continue;
    const wrong = wrongProgram(program, projectDir);
    if (wrong === null) continue;
    const place = at(item, ["config", key]);
    findings.warnings.push({ ...place, code: "missing-program", message: wrong });
  }
}

function wrongProgram(program: string, projectDir: string): string | null {
  const file = resolve(projectDir, program);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!program.includes("/")) {
    if (!found?.isFile()) return null;
    return `"${program}" is looked for in PATH: for the file of that name in the project write ./${program}`;
  }
  if (found === undefined) {
    const [first = ""] = program.split(/\s/);
    const isLine =
      first !== program && statSync(resolve(projectDir, first), { throwIfNoEntry: false });
    const hint = isLine ? `: ${first} is there; what follows it goes under args` : "";
    return `there is no program "${program}", looked for ${file}${hint}`;
  }
  if (found.isDirectory()) return `"${program}" is a folder: a program is expected`;
  try {
    accessSync(file, constants.X_OK);
    return null;
  } catch (error) {
    if (!hasCode(error, "EACCES")) throw error;
    return `"${program}" may not be run: chmod +x ${program}`;
  }
}
