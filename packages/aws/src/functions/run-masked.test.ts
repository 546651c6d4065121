import { inspect } from "node:util";
import { knownSecrets } from "@orgloop/engine";
import { OrgLoopError } from "@orgloop/sdk";
import { expect, onTestFinished, test } from "vitest";
import { maskUncaught, runMasked } from "./function-tools.ts";

const SECRET = "sk-live-0123456789";
const known = knownSecrets();
known.learn("actor", [SECRET]);

function leaking(): Error {
  const cause = Object.assign(new Error(`401 for ${SECRET}`), { request: { token: SECRET } });
  const error = new OrgLoopError("REFUSED", `it said ${SECRET}`, { cause });
  return Object.assign(error, { headers: { authorization: `Bearer ${SECRET}` } });
}

/** All that whoever prints an error can find in it. */
const shown = (error: unknown) =>
  `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${(error as Error).stack}`;

test("what an invocation throws holds no secret, and what was counted goes out", async () => {
  let flushed = 0;
  const flow = { log: () => {}, count: () => {}, flush: () => void flushed++ };
  const failed = runMasked({ known, flow }, () => Promise.reject(leaking()));
  const error = await failed.catch((one) => one);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "OrgLoopError", code: "REFUSED", message: "it said ***" });
  expect(error.stack).toContain("run-masked.test.ts");
  expect(shown(error)).not.toContain(SECRET);
  await expect(runMasked({ known, flow }, () => Promise.reject(SECRET))).rejects.toThrow(
    /^\*\*\*$/,
  );
  await expect(runMasked({ known, flow }, async () => 1)).resolves.toBe(1);
  expect(flushed).toBe(3);
});

test("who listens for uncaught exceptions gets them without secrets", () => {
  const event = "uncaughtException" as const;
  const before = process.listeners(event);
  onTestFinished(() => {
    process.removeAllListeners(event);
    for (const listener of before) process.on(event, listener);
  });
  process.removeAllListeners(event);
  const heard: unknown[] = [];
  process.on(event, (error, origin) => void heard.push(error, origin));
  maskUncaught(known.mask);
  const [first] = process.listeners(event);
  first?.(leaking(), event);
  expect(heard).toHaveLength(2);
  expect(heard).toMatchObject([{ message: "it said ***" }, event]);
  expect(shown(heard[0])).not.toContain(SECRET);
});
