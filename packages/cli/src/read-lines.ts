import { createReadStream } from "node:fs";

/**
 * The lines of a file, without their ends. By `\n` alone: node:readline also splits at U+2028 and U+2029, which may stand in
 * JSON texts.
 */
export async function* readLines(file: string): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of createReadStream(file, { encoding: "utf8" })) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
