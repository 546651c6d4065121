import type { OrgLoopEvent, Transform, TransformContext } from "@orgloop/sdk";
import { afterAll, describe, expect, test, vi } from "vitest";
import { filterConfig } from "./config.ts";
import { filterTransform } from "./filter-transform.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github", author: "dependabot[bot]" },
  payload: {
    action: "opened",
    number: 42,
    draft: false,
    nothing: null,
    labels: ["bug", "p1"],
    path: "/repos/acme",
    object: { toString: "not a function" },
  },
  trace_id: "trc_1",
};
const context: TransformContext = {
  route: "r",
  actor: "a",
  signal: new AbortController().signal,
};

const closing: (() => Promise<void> | undefined)[] = [];
afterAll(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function run(config: Record<string, unknown>, signal = context.signal) {
  const transform = await filterTransform(await filterConfig.parseAsync(config));
  closing.push(() => transform.close?.());
  return transform.execute(event, { ...context, signal });
}

/** As a host runs it. */
function pooled(transform: Transform, one: OrgLoopEvent, about: TransformContext) {
  const task = () => transform.execute(one, about);
  return transform.pool?.run(about.route, task, about.signal) ?? task();
}

describe("criteria", () => {
  test.each([
    [{}, true],
    [{ "payload.action": "opened" }, true],
    [{ "payload.action": "opened", "payload.number": 41 }, false],
    [{ "payload.number": "42" }, false],
    [{ "payload.draft": false }, true],
    [{ "payload.action": ["closed", "opened"] }, true],
    [{ "payload.action": "closed, opened" }, true],
    [{ "payload.nothing": null }, true],
    [{ "payload.missing": null }, true],
    [{ "payload.action": null }, false],
    [{ "payload.action": "/^OPEN/i" }, true],
    [{ "payload.action": "/^OPEN/" }, false],
    [{ "payload.action": "/pen/y" }, false],
    [{ "payload.number": "/^4\\d$/" }, true],
    [{ "payload.labels": "/bug,p1/" }, true],
    [{ "payload.action": "/p{1,2}e/" }, true],
    [{ "payload.action": "/^x/, /ed$/" }, true],
    [{ "payload.path": "/repos/acme" }, true],
    [{ "payload.missing": "/^undefined$/" }, true],
    [{ "payload.object": "/object/" }, false],
    [{ "payload.toString": "/function/" }, false],
  ])("match %j → %s", async (match, passes) => {
    expect(await run({ match })).toBe(passes ? event : null);
  });

  test("exclude drops on any, before match; match_any needs one", async () => {
    const bots = { "provenance.author": ["dependabot[bot]", "renovate[bot]"], source: "x" };
    expect(await run({ exclude: bots, match: { source: "github" } })).toBeNull();
    expect(await run({ exclude: { source: "x" } })).toBe(event);
    expect(await run({ match_any: { source: "x", type: "resource.changed" } })).toBe(event);
    expect(await run({ match_any: { source: "x", type: "x" } })).toBeNull();
  });

  test.each([
    [{ match: { "payload.x": "/a(?=b)/" } }, /Look-around/],
    [{ match: { "payload.x": "/(a)\\1/" } }, /linear time/],
    [{ exclude: { "payload.x": ["ok", "/[/"] } }, /not a regular expression/],
    [{ match: { "payload.__proto__.x": 1 } }, /not a path/],
    [{ match: { "payload.x": { prefix: "a" } } }, /expected text, a number/],
  ])("%j is a configuration error", async (config, message) => {
    const result = await filterConfig.safeParseAsync(config);
    expect(result.error?.issues[0]?.message).toMatch(message);
  });

  test("a pattern that backtracks elsewhere runs in linear time", async () => {
    const transform = await filterTransform(
      await filterConfig.parseAsync({ match: { "payload.text": "/^(a+)+$/" } }),
    );
    const long = { ...event, payload: { text: `${"a".repeat(100_000)}b` } };
    expect(await transform.execute(long, context)).toBeNull();
  });
});

describe("jq", () => {
  test.each([
    [".payload.number == 42", true],
    [".payload.draft", false],
    [".payload.nothing", false],
    ["empty", false],
    [".payload.action.deeper", false],
    [".payload.action, .payload.number", true],
    [".payload.number, .payload.draft", false],
    ["-1", true],
    ["{a: 1}", true],
    ["env.HOME != null and env.SHELL == null", true],
  ])("%s → %s", async (jq, passes) => {
    expect(await run({ jq, exclude: { source: "github" } })).toEqual(passes ? event : null);
  });

  test("an object with an id replaces the event", async () => {
    expect(await run({ jq: ".payload.seen = true | del(.payload.labels)" })).toMatchObject({
      id: "evt_1",
      payload: { seen: true, number: 42 },
    });
  });

  test("an expression that does not compile is a configuration error", async () => {
    await expect(run({ jq: ".payload | nope(" })).rejects.toMatchObject({ code: "INVALID_JQ" });
  });

  test("an evaluation that is stopped throws, it does not drop; the engine comes back", async () => {
    const endless = await filterTransform({
      jq: "if . == null then 1 else range(1e15) | empty end",
    });
    closing.push(() => endless.close?.());
    const signal = AbortSignal.timeout(100);
    await expect(endless.execute(event, { ...context, signal })).rejects.toMatchObject({
      code: "JQ_FAILED",
    });
    expect(await run({ jq: ".id" })).toBe(event);
  });

  test("one that uses up its memory is an error for people, prints nothing, and is no drop", async () => {
    const printed = vi.spyOn(process.stderr, "write");
    const jq = 'if . == null then 1 else reduce range(1e9) as $i ("x"; . + .) end';
    await expect(run({ jq })).rejects.toMatchObject({
      code: "JQ_FAILED",
      message: expect.stringMatching(/^jq could not finish: its memory was used up; let the/),
    });
    expect(printed.mock.calls.flat().join("")).not.toContain("Aborted");
    printed.mockRestore();
  });

  test("a route whose jq loops, on however many keys, leaves another route's a worker", async () => {
    const endless = await filterTransform({
      jq: "if . == null then 1 else range(1e15) | empty end",
    });
    const quick = await filterTransform({ jq: ".payload.number == 42" });
    closing.push(
      () => endless.close?.(),
      () => quick.close?.(),
    );
    const stop = new AbortController();
    let ended = 0;
    const loops = Array.from({ length: 40 }, () =>
      pooled(endless, event, { ...context, route: "loops", signal: stop.signal }).finally(() => {
        ended += 1;
      }),
    );
    for (let turn = 0; turn < 20; turn += 1) {
      expect(await pooled(quick, event, { ...context, route: "quick" })).toBe(event);
    }
    expect(ended).toBe(0);
    stop.abort(new Error("enough"));
    expect(await Promise.allSettled(loops)).toMatchObject(
      loops.map(() => ({
        status: "rejected",
        reason: { message: expect.stringMatching("enough") },
      })),
    );
  });

  test("hundreds of evaluations agree", async () => {
    const transform = await filterTransform(
      await filterConfig.parseAsync({ jq: ".payload.number % 2 == 0" }),
    );
    closing.push(() => transform.close?.());
    const results = await Promise.all(
      Array.from({ length: 400 }, (_, number) =>
        pooled(transform, { ...event, payload: { number, text: "x".repeat(2_000) } }, context),
      ),
    );
    expect(results.every((result, number) => (result !== null) === (number % 2 === 0))).toBe(true);
  });
});
