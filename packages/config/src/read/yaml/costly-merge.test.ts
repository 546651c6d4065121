import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { yamlOracle } from "../../../test/yaml-oracle.ts";
import { readYaml } from "./read-yaml.ts";

/** Each line merges the one before `times` times. */
function chain(lines: number, times: number, form: "flow" | "block"): string {
  const rows = ["x0: &x0 { k0: 1 }"];
  for (let at = 1; at < lines; at++) {
    const before = Array(times)
      .fill(`*x${at - 1}`)
      .join(", ");
    const merge = times === 1 ? before : `[${before}]`;
    rows.push(
      form === "flow"
        ? `x${at}: &x${at} { <<: ${merge}, k${at}: 1 }`
        : `x${at}: &x${at}\n  <<: ${merge}\n  k${at}: 1`,
    );
  }
  return `${rows.join("\n")}\n`;
}

describe("merge keys that double with every line", () => {
  test.each(["flow", "block"] as const)("are refused at the line, in %s style", (form) => {
    for (const lines of [20, 40, 2_000]) {
      const text = chain(lines, 2, form);
      expect(() => readYaml(text)).toThrow(
        expect.objectContaining({
          code: "yaml-bomb",
          message: expect.stringMatching(/merge keys/),
        }),
      );
    }
  });

  test("the place is where it becomes too much", () => {
    let offset = -1;
    try {
      readYaml(chain(30, 2, "flow"));
    } catch (error) {
      offset = (error as { offset: number }).offset;
    }
    expect(chain(30, 2, "flow").slice(offset)).toMatch(/^\*x1[0-9]/);
  });

  test("are read where they are few, as an independent reader reads them", () => {
    for (const text of [chain(60, 1, "flow"), chain(9, 2, "block"), chain(6, 3, "flow")]) {
      const { value, ambiguity } = readYaml(text);
      expect(ambiguity).toBeNull();
      expect(yamlOracle(text)).toEqual({ value });
      expect(Object.keys((value as { x5: object }).x5)).toContain("k0");
    }
  });

  test("merges of any form are refused or read, never for long", () => {
    const source = fc.constantFrom("*a", "*b", "[*a, *b]", "[*b, { q: [*a] }, *b]", "{ <<: *b }");
    const lines = fc.array(source, { maxLength: 40 });
    fc.assert(
      fc.property(lines, (sources) => {
        const rows = sources.map((one, at) => `r${at}: &${at % 2 ? "a" : "b"} { <<: ${one} }`);
        const text = ["a: &a { x: 1 }", "b: &b { y: [1, 2] }", ...rows, ""].join("\n");
        try {
          readYaml(text);
        } catch (error) {
          expect(error).toMatchObject({ code: "yaml-bomb" });
        }
      }),
      { numRuns: 200 },
    );
  });
});
