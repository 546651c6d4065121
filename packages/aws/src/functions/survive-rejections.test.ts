import { execFile } from "node:child_process";
import { expect, test } from "vitest";

/** Runs a script in a process of its own: in this one the test runner listens, too. */
async function ran(body: string): Promise<{ readonly code: number; readonly lines: unknown[] }> {
  const script = `
    import { surviveRejections } from ${JSON.stringify(import.meta.resolve("./survive-rejections.ts"))};
    process.on("unhandledRejection", () => process.exit(7));
    const say = (line) => console.log(JSON.stringify(line));
    surviveRejections({ log: say, count: (metric, value = 1) => say({ metric, value }) });
    ${body}`;
  const { promise, resolve } = Promise.withResolvers<{ code: number; lines: unknown[] }>();
  execFile(process.execPath, ["--input-type=module", "-e", script], (error, stdout) => {
    const lines = stdout.split("\n").filter((line) => line !== "");
    resolve({ code: Number(error?.code ?? 0), lines: lines.map((line) => JSON.parse(line)) });
  });
  return promise;
}

test("a rejection that nobody handles is logged with its stack, counted, and ends nothing", async () => {
  const { code, lines } = await ran(`
    async function plugin() { throw new Error("of a plug-in"); }
    void plugin();
    void Promise.reject("no error at all");
    setTimeout(() => say("alive"), 1);`);
  expect(code).toBe(0);
  const rejection = /^a rejection that nobody handled: /;
  expect(lines).toEqual([
    { phase: "system.error", error: expect.stringMatching(/: Error: of a plug-in at plugin /) },
    { metric: "unhandled", value: 1 },
    { phase: "system.error", error: expect.stringContaining("no error at all") },
    { metric: "unhandled", value: 1 },
    "alive",
  ]);
  for (const at of [0, 2]) expect((lines[at] as { error: string }).error).toMatch(rejection);
});

test("an uncaught exception still ends the function", async () => {
  const { code, lines } = await ran(`
    setTimeout(() => { throw new Error("nobody catches it"); });
    setTimeout(() => say("alive"), 1_000);`);
  expect([code, lines]).toEqual([1, []]);
});
