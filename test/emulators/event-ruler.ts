import { execFile, spawn } from "node:child_process";
import { on, once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
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

/** event-ruler in a JVM of its own. */
export interface EventRuler {
  /** Of each pair whether the pattern matches the event; null: the pattern is not taken. */
  answers(
    pairs: readonly (readonly [pattern: string, event: string])[],
  ): Promise<(boolean | null)[]>;
  stop(): Promise<void>;
}

/** Rejects with the reason where it cannot be installed, or does not answer. */
export async function startEventRuler(): Promise<EventRuler> {
  const child = spawn("java", ["-Dfile.encoding=UTF-8", "-cp", await eventRuler(), "Answers"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const ruler: EventRuler = {
    async answers(pairs) {
      child.stdin.write(pairs.map(([pattern, event]) => `${pattern}\t${event}\n`).join(""));
      const answers: (boolean | null)[] = [];
      for await (const line of linesOf(child.stdout, pairs.length)) {
        answers.push(line === "true" ? true : line === "false" ? false : null);
      }
      if (answers.length < pairs.length) throw new Error("event-ruler ended");
      return answers;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
  await ruler.answers([['{"a":["x"]}', '{"a":"x"}']]);
  return ruler;
}

/** The next lines, no more than are asked for; what is read stays open. */
async function* linesOf(stream: Readable, count: number): AsyncGenerator<string> {
  let left = count;
  let rest = "";
  for await (const chunk of on(stream, "data", { close: ["end"] })) {
    const lines = (rest + String(chunk[0])).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      yield line;
      left -= 1;
    }
    if (left <= 0) return;
  }
}
