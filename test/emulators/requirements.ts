import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TOOLS } from "./filled-once.ts";

/** What some tests need and not every machine has. */
const PROGRAMS = {
  aws: ["python3"],
  localstack: ["python3", "java", "mvn"],
  java: ["java", "javac", "mvn"],
} as const;
/** What is installed for them: below this folder. */
const RECIPES = { aws: "ministack", localstack: "localstack", java: "event-ruler" } as const;

export type Emulation = keyof typeof PROGRAMS;

/**
 * True where the tests that need `name` can run on this machine. Otherwise says on stderr what is
 * missing and that they are left out, or throws where `REQUIRE` names it
 * (`REQUIRE=aws,localstack`).
 */
export function canRun(name: Emulation): boolean {
  const absent = missingPrograms(name);
  const why =
    absent.length > 0
      ? `${absent.join(", ")} not on the PATH`
      : isInstalled(name)
        ? null
        : "what they need is not installed (`npm run emulators` installs it)";
  if (why === null) return true;
  if (isRequired(name)) throw new Error(`REQUIRE demands the ${name} tests: ${why}`);
  process.stderr.write(`the ${name} tests are left out: ${why}\n`);
  return false;
}

export function isRequired(name: Emulation): boolean {
  return (process.env.REQUIRE ?? "").split(",").includes(name);
}

export function missingPrograms(name: Emulation): readonly string[] {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  return PROGRAMS[name].filter(
    (program) => !folders.some((folder) => existsSync(path.join(folder, program))),
  );
}

/** Whether it was installed and started here, by the versions that are pinned now. */
export function isInstalled(name: Emulation): boolean {
  return existsSync(markOf(name));
}

export function markInstalled(name: Emulation): void {
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(markOf(name), "");
}

function markOf(name: Emulation): string {
  const digest = createHash("sha256");
  const folder = path.join(import.meta.dirname, RECIPES[name]);
  for (const file of globSync("*.{txt,xml,java}", { cwd: folder }).sort()) {
    digest.update(file).update(readFileSync(path.join(folder, file)));
  }
  return path.join(TOOLS, `${name}-${digest.digest("hex").slice(0, 8)}.works`);
}
