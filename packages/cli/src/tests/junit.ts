import type { Problem } from "@orgloop/sdk";
import type { TestFailure, TestResult } from "./run-tests.ts";

/**
 * The results in JUnit's XML, as CI servers read it: a suite a file, a case a test; what is wrong
 * with a configuration is a case with an `error`.
 */
export function junitXml(results: readonly TestResult[], errors: readonly Problem[]): string {
  const suites = [
    ...Map.groupBy(results, ({ file }) => file)
      .entries()
      .map(([file, tests]) => suite(file, tests)),
    ...Map.groupBy(errors, ({ file }) => file)
      .entries()
      .map(([file, problems]) => brokenSuite(file, problems)),
  ];
  const failures = results.filter((one) => one.failures.length > 0).length;
  const totals = {
    name: "orgloop test",
    tests: results.length + errors.length,
    failures,
    errors: errors.length,
    time: seconds(results),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes(totals)}>\n${suites.join("")}</testsuites>\n`;
}

function suite(file: string, tests: readonly TestResult[]): string {
  const failures = tests.filter((one) => one.failures.length > 0).length;
  const totals = { name: file, file, tests: tests.length, failures, errors: 0 };
  const cases = tests.map((one) => {
    const { name, line } = one;
    const about = attributes({ name, classname: file, file, line, time: seconds([one]) });
    if (one.failures.length === 0) return `    <testcase${about}/>\n`;
    const found = one.failures.map((failure) => failureElement(file, failure));
    return `    <testcase${about}>\n${found.join("")}    </testcase>\n`;
  });
  const about = attributes({ ...totals, time: seconds(tests) });
  return `  <testsuite${about}>\n${cases.join("")}  </testsuite>\n`;
}

function failureElement(file: string, failure: TestFailure): string {
  const { line, column, what, expected, got, step } = failure;
  const which = step > 1 ? ` (event ${step})` : "";
  const message = `${file}:${line}:${column}: ${what}${which}`;
  const text = `${message}\nexpected ${json(expected)}\ngot ${json(got)}`;
  return `      <failure${attributes({ message, type: what })}>${escaped(text)}</failure>\n`;
}

function brokenSuite(file: string, problems: readonly Problem[]): string {
  const totals = { name: file, file, tests: problems.length, failures: 0, errors: problems.length };
  const cases = problems.map(({ line, column, message, code }) => {
    const name = `${file}:${line}:${column}`;
    const about = attributes({ name, classname: file, file, line, time: "0.000" });
    const error = `<error${attributes({ message, type: code })}>${escaped(`${name}: ${message}`)}</error>`;
    return `    <testcase${about}>\n      ${error}\n    </testcase>\n`;
  });
  return `  <testsuite${attributes({ ...totals, time: "0.000" })}>\n${cases.join("")}  </testsuite>\n`;
}

const json = (value: unknown): string => JSON.stringify(value) ?? "nothing";

function seconds(results: readonly TestResult[]): string {
  return (results.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value)).replaceAll("\n", "&#10;")}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML 1.0 has no way at all to write other control characters, nor half of a pair. */
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const escaped = (text: string): string =>
  text.replace(UNWRITABLE, "\uFFFD").replace(/[&<>"]/g, (found) => ENTITIES[found] ?? found);
