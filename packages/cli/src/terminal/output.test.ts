import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { processOutput } from "./output.ts";

/** Marks of a terminal, of directions and lines; what an event may hold of them steers nothing. */
const STEERS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const nasty = fc.string({
  unit: fc.constantFrom(
    "a",
    " ",
    "\u001b[2J",
    "\u001b[31m",
    "\u009b1m",
    "\u202e",
    "\u2066",
    "\r",
    "\u2028",
    "\u0007",
    "\u007f",
  ),
});

afterEach(() => vi.unstubAllEnvs());

/** What comes out on both, of an output that shows colours. */
function printed(use: (output: ReturnType<typeof processOutput>) => void, json = false) {
  vi.stubEnv("FORCE_COLOR", "1");
  const text: string[] = [];
  const take = (chunk: unknown) => text.push(String(chunk)) > 0;
  const out = vi.spyOn(process.stdout, "write").mockImplementation(take);
  const error = vi.spyOn(process.stderr, "write").mockImplementation(take);
  try {
    use(processOutput({ json, quiet: false, color: true }));
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
  return text.join("");
}

test("nothing of what others wrote steers the terminal, whatever says it", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const all = printed((output) => {
        output.result({}, text);
        output.write(text);
        output.note(text);
        output.warn(text);
        output.error(text);
        output.result({}, output.style("bold", text));
      });
      const without = stripVTControlCharacters(all.replaceAll("\n", ""));
      expect(without).not.toMatch(STEERS);
      expect(all).not.toContain("\u001b[2J");
    }),
  );
});

test("colours of our own are shown, those of others are told", () => {
  const all = printed((output) => {
    output.result({}, `${output.style("green", "ours")} \u001b[31mtheirs`);
  });
  expect(all).toBe("\u001b[32mours\u001b[39m \\u001b[31mtheirs\n");
});

test("lines and tabs stay, JSON stays JSON with the same content", () => {
  expect(printed((output) => output.result({}, "a\n\tb"))).toBe("a\n\tb\n");
  fc.assert(
    fc.property(nasty, (text) => {
      const all = printed((output) => output.result({ text }, ""), true);
      expect(JSON.parse(all)).toEqual({ text });
      expect(all.replaceAll("\n", "")).not.toMatch(STEERS);
    }),
  );
});
