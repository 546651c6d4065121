import type { Problem } from "@orgloop/sdk";
import { problemLine } from "../project/read-project.ts";
import { counted } from "../terminal/counted.ts";
import type { Output } from "../terminal/output.ts";
import type { TestFailure, TestResult } from "./run-tests.ts";

/**
 * A line a test below its file; of one that failed what was expected, where that stands, and what
 * became of it.
 */
export function testReport(
  results: readonly TestResult[],
  errors: readonly Problem[],
  output: Output,
): string {
  const lines: string[] = [];
  for (const [file, tests] of Map.groupBy(results, (one) => one.file)) {
    lines.push(output.style("bold", file));
    for (const { name, failures } of tests) {
      const sound = failures.length === 0;
      const mark = sound ? output.style("green", "✓") : output.style("red", "✗");
      lines.push(`  ${mark} ${name}`);
      for (const failure of failures) lines.push(...failureLines(file, failure, output));
    }
  }
  for (const problem of errors) {
    lines.push(`${problemLine(problem)} ${output.style("red", `[error ${problem.code}]`)}`);
  }
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const said = [`${counted(results.length - failed, "test")} passed`];
  if (failed > 0) said.push(`${failed} failed`);
  if (errors.length > 0) said.push(`${counted(errors.length, "error")} in the configuration`);
  lines.push(`${said.join(", ")} ${failed + errors.length === 0 ? "✓" : "✗"}`);
  return lines.join("\n");
}

function failureLines(
  file: string,
  { line, column, what, expected, got, step }: TestFailure,
  output: Output,
): string[] {
  const which = step > 1 ? ` (event ${step})` : "";
  return [
    `      ${file}:${line}:${column}: ${what}${which}`,
    `        expected  ${output.style("green", shown(expected))}`,
    `        got       ${output.style("red", shown(got))}`,
  ];
}

const MOST = 2_000;

function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : plain(value);
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}

/** Sentences as they are; values that only look alike (`1` and `"1"`) told apart. */
function plain(value: unknown): string {
  if (typeof value === "string" && /^[A-Za-z][^\n]*$/.test(value)) {
    return /^(true|false|null|nothing)$/.test(value) ? JSON.stringify(value) : value;
  }
  return JSON.stringify(value);
}
