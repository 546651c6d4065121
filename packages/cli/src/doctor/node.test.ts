import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { checkNode } from "./node.ts";

const ROOT = path.resolve(import.meta.dirname, "../../../..");

test("doctor, the command and engines name the same oldest Node", () => {
  const { engines } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? [];
  expect(checkNode(`v${major}.${minor}.0`).status).toBe("ok");
  expect(checkNode(`v${major}.${Number(minor) - 1}.9`).status).toBe("error");
  const command = readFileSync(path.join(ROOT, "packages/cli/bin/orgloop.js"), "utf8");
  expect(command).toContain(`"${major}.${minor}"`);
});
