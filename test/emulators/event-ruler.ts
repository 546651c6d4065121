import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { filledOnce } from "./filled-once.ts";

const run = promisify(execFile);
const HERE = path.join(import.meta.dirname, "event-ruler");
const PROGRAMS = ["Answers.java", "Bench.java"];

/**
 * The class path of event-ruler, EventBridge's own matcher, and of the programs in `event-ruler/`
 * that ask it. Installed into `.tools/` the first time, from Maven Central, for an installed JDK of
 * 17 or later. Rejects with the reason where that cannot be.
 */
export async function eventRuler(): Promise<string> {
  const files = ["pom.xml", ...PROGRAMS].map((file) => path.join(HERE, file));
  const recipe = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const directory = await filledOnce("event-ruler", recipe.join("\n"), async (target) => {
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    const [pom = "", ...programs] = files;
    try {
      await run("mvn", ["-q", "-B", "-f", pom, goal, `-DoutputDirectory=${target}`]);
      await run("javac", ["-cp", path.join(target, "*"), "-d", target, ...programs]);
    } catch (error) {
      throw new Error(
        "event-ruler cannot be installed: it needs a JDK, Maven, and Maven Central within reach",
        { cause: error },
      );
    }
  });
  return [directory, path.join(directory, "*")].join(path.delimiter);
}
