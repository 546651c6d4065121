import { PassThrough } from "node:stream";
import { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { type LogEntry, PHASES } from "@orgloop/sdk";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { consoleConfig } from "./config.ts";
import { consoleLogger } from "./console-logger.ts";

const entry: LogEntry = {
  timestamp: "2026-11-01T12:34:56.789Z",
  phase: "deliver.failure",
  event_id: "evt_1",
  source: "github",
  target: "agent",
  route: "team/review",
  event_type: "resource.changed",
  duration_ms: 12,
  error: "connect ECONNREFUSED",
};

function print(entries: readonly LogEntry[], config: Record<string, unknown> = {}, isTTY = false) {
  const stream = new PassThrough();
  const terminal = Object.assign(stream, {
    isTTY,
    getColorDepth: WriteStream.prototype.getColorDepth,
  });
  const logger = consoleLogger(
    consoleConfig.parse(config),
    terminal as unknown as NodeJS.WriteStream,
  );
  for (const each of entries) logger.log(each);
  return String(stream.read() ?? "");
}

/** What node asks before it colours: a CI's machine sets some of them. */
const TERMINAL_VARIABLES =
  "CI COLORTERM FORCE_COLOR NODE_DISABLE_COLORS NO_COLOR TEAMCITY_VERSION TERM_PROGRAM TF_BUILD TMUX";

beforeEach(() => {
  vi.stubEnv("TERM", "xterm-256color");
  for (const name of TERMINAL_VARIABLES.split(" ")) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

describe("a line", () => {
  test("has v1alpha1's fields in v1alpha1's order", () => {
    expect(print([entry])).toMatch(
      /^\d\d:34:56\.789 ✗ deliver\.failure src=github tgt=agent route=team\/review type=resource\.changed evt=1 12ms err=connect ECONNREFUSED\n$/,
    );
    const dropped: LogEntry = { ...entry, phase: "transform.drop", transform: "bots", result: "x" };
    expect(print([dropped])).toContain("xform=bots type=resource.changed result=x evt=1 12ms err=");
  });

  test("has the event's short id, and what was dropped on purpose is no failure", () => {
    const event_id = "evt_0123456789abcdef0123456789abcdef";
    const dropped: LogEntry = { ...entry, event_id, phase: "transform.drop", result: "duplicate" };
    expect(print([dropped])).toContain(" ○ transform.drop ");
    expect(print([dropped])).toContain(" evt=01234567 ");
  });

  test("event data cannot forge a line, whatever it holds", () => {
    const text = fc.string({
      unit: fc.constantFrom(
        "a",
        " ",
        "\n",
        "\r",
        "\u001b",
        "[2J",
        "\u2028",
        "\u0085",
        "\u202e",
        "\0",
      ),
    });
    fc.assert(
      fc.property(text, text, (source, error) => {
        const metadata = { [source]: error };
        const config = { compact: false, show_payload: true };
        const lines = print([{ ...entry, source, error, metadata }], config).split("\n");
        expect(lines).toHaveLength(Object.keys(metadata).length + 4);
        expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
      }),
    );
  });

  test("metadata only where asked for, and not on a compact line", () => {
    const full: LogEntry = { ...entry, metadata: { attempt: 2 } };
    expect(print([full], { show_payload: true })).not.toContain("attempt");
    expect(print([full], { compact: false })).not.toContain("attempt");
    expect(print([full], { compact: false, show_payload: true })).toContain('    "attempt": 2');
  });
});

test("levels", () => {
  const printed = (level: string) =>
    print(
      PHASES.map((phase) => ({ timestamp: entry.timestamp, phase })),
      { level },
    )
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[2]);
  expect(printed("debug")).toEqual(PHASES);
  expect(printed("info")).not.toContain("deliver.attempt");
  expect(printed("info")).toContain("source.emit");
  expect(printed("warn")).toContain("pipeline.backpressure");
  expect(printed("warn")).not.toContain("deliver.success");
  expect(printed("error")).toEqual([
    "source.error",
    "transform.error_halt",
    "deliver.failure",
    "deliver.dead_letter",
    "loop.circuit_broken",
    "system.error",
    "module.error",
  ]);
});

describe("colours", () => {
  test("on a terminal only, and not with color: false", () => {
    const coloured = print([entry], {}, true);
    expect(coloured).toContain("\u001b[31m");
    expect(stripVTControlCharacters(coloured)).toBe(print([entry]));
    expect(print([entry], { color: false }, true)).toBe(print([entry]));
    vi.stubEnv("NO_COLOR", "1");
    expect(print([entry], {}, true)).toBe(print([entry]));
  });
});

test("a reader that went away is no error of ours", () => {
  const stream = new PassThrough();
  consoleLogger(consoleConfig.parse({}), stream as unknown as NodeJS.WriteStream).log(entry);
  expect(stream.emit("error", new Error("EPIPE"))).toBe(true);
});
