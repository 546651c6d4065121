import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";

/**
 * The machine that the figures are from, in a line: processor, cores, memory, Node, and the file
 * system of `directory`.
 */
export async function describeMachine(directory = "."): Promise<string> {
  const model = cpus()[0]?.model ?? "unknown processor";
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GiB`;
  const [, fileSystem = "unknown file system"] = execFileSync("df", ["--output=fstype", directory])
    .toString()
    .split("\n");
  return `${model}, ${cpus().length} cores, ${memory}, Node ${process.version}, ${fileSystem.trim()}, ${process.platform}`;
}
