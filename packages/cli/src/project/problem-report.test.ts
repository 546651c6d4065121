import { expect, test } from "vitest";
import { mergedProblems } from "./every-workspace.ts";
import { problemReport } from "./problem-report.ts";

const problem = (line: number, message = 'unknown actor "a"', code = "unknown-reference") => ({
  file: "routes/r.yaml",
  line,
  column: 3,
  path: "routes",
  message,
  code,
});
const plain = (_: unknown, text: string) => text;

test("what one mistake causes in several places is said once, with the places below", () => {
  const errors = [1, 2, 3, 4, 5, 6].map((line) => problem(line));
  expect(
    problemReport({ errors, warnings: [problem(9, "old", "w")] }, { workspaces: 1, style: plain }),
  ).toBe(
    [
      'routes/r.yaml:1:3: unknown actor "a" [error unknown-reference]',
      "  the same at routes/r.yaml:2:3, routes/r.yaml:3:3, routes/r.yaml:4:3 and 2 more",
      "routes/r.yaml:9:3: old [warning w]",
      "6 errors, 1 warning ✗",
    ].join("\n"),
  );
  expect(
    problemReport({ errors: [problem(1)], warnings: [] }, { workspaces: 1, style: plain }),
  ).toMatch(/\n1 error, 0 warnings ✗$/);
  expect(problemReport({ errors: [], warnings: [] }, { workspaces: 1, style: plain })).toBe(
    "0 errors, 0 warnings ✓",
  );
});

test("what only some workspaces have says which", () => {
  const errors = mergedProblems([
    { workspace: "default", problems: [problem(1)] },
    { workspace: "live", problems: [problem(1), problem(2, "sqs")] },
  ]);
  expect(errors.map(({ workspaces }) => workspaces)).toEqual([["default", "live"], ["live"]]);
  expect(
    problemReport({ errors, warnings: [] }, { workspaces: 2, style: plain }).split("\n"),
  ).toEqual([
    'routes/r.yaml:1:3: unknown actor "a" [error unknown-reference]',
    "routes/r.yaml:2:3: sqs (workspace live) [error unknown-reference]",
    "2 errors, 0 warnings ✗",
  ]);
});
