import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { ensureToken, readToken } from "./token.ts";

test("there is one token, for the user alone, also where many make it at once", async () => {
  const home = path.join(await mkdtemp(path.join(tmpdir(), "orgloop-home-")), "new");
  expect(await readToken(home)).toBeNull();
  const token = await ensureToken(home);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await ensureToken(home)).toBe(token);
  expect(await readToken(home)).toBe(token);
  expect((await stat(path.join(home, "token"))).mode & 0o777).toBe(0o600);
  expect(await readdir(home)).toEqual(["token"]);
  await rm(path.dirname(home), { recursive: true });
});

test("a token file that a power cut left empty is replaced", async () => {
  const home = await mkdtemp(path.join(tmpdir(), "orgloop-home-"));
  await writeFile(path.join(home, "token"), "");
  const token = await ensureToken(home);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await readToken(home)).toBe(token);
  expect(await readdir(home)).toEqual(["token"]);
  await rm(home, { recursive: true });
});
