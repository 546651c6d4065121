import { existsSync } from "node:fs";
import path from "node:path";

/** What some tests need and not every machine has; `REQUIRE=aws` (names by comma) makes its absence a failure. */
const NEEDS = { aws: ["python3"], localstack: ["python3", "java", "mvn"] } as const;

/**
 * True where the tests that need `name` can run on this machine. Otherwise says on stderr what is missing and that they are
 * left out, or throws where `REQUIRE` names it.
 */
export function canRun(name: keyof typeof NEEDS): boolean {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const absent = NEEDS[name].filter(
    (program) => !folders.some((folder) => existsSync(path.join(folder, program))),
  );
  if (absent.length === 0) return true;
  const missing = `${absent.join(", ")} not on the PATH: the ${name} tests cannot run`;
  if ((process.env.REQUIRE ?? "").split(",").includes(name)) {
    throw new Error(`${missing}, and REQUIRE demands them`);
  }
  process.stderr.write(`${missing} and are left out\n`);
  return false;
}
