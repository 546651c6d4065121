import { expect, test } from "vitest";
import { textChange } from "./text-change.ts";

test("a changed text is told by the lines that came and went", () => {
  expect(textChange("a\nb\nc", "a\nx\ny\nc")).toEqual({
    heading: "2 lines added, 1 removed",
    lines: ["- b", "+ x", "+ y"],
  });
  expect(textChange("a\nb", "a").heading).toBe("1 line removed");
  expect(textChange("", "a\nb").lines).toContain("+ a");
});

test("long texts are cut: lines, the number of lines, and what takes too long to compare", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, at) => `line ${at}`);
  const many = textChange("same", ["same", ...lines(200)].join("\n"));
  expect(many.heading).toBe("200 lines added");
  expect(many.lines).toHaveLength(7);
  expect(many.lines.at(-1)).toBe("… and 194 more lines");
  const [line = ""] = textChange("", `${"x".repeat(500)}\n`).lines.slice(-1);
  expect(line.length).toBeLessThan(110);
  expect(textChange(lines(5_000).join("\n"), "a").heading).toBe("changed (5000 → 1 lines)");
});

test("a text cannot steer the terminal", () => {
  expect(textChange("a", "a\n\u001b[2Jgone").lines).toEqual(["+  [2Jgone"]);
});
