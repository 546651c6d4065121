import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockDirectory } from "./lock-directory.ts";

const directory = () => mkdtemp(join(tmpdir(), "orgloop-"));

test("a second holder is refused by name until the first releases", async () => {
  const dir = join(await directory(), "made", "here");
  const lock = await lockDirectory(dir, { purpose: "/some/project" });
  await expect(lockDirectory(dir)).rejects.toMatchObject({
    code: "LOCKED",
    message: expect.stringMatching(new RegExp(`${dir}.*process ${process.pid} .*/some/project`)),
  });
  await lock.release();
  await lock.release();
  await (await lockDirectory(dir)).release();
});

test("the kernel drops the lock of a killed process", async () => {
  const dir = await directory();
  const module = join(import.meta.dirname, "lock-directory.ts");
  const child = spawn(process.execPath, [
    "--input-type=module",
    "--eval",
    `import { lockDirectory } from ${JSON.stringify(module)};
     await lockDirectory(${JSON.stringify(dir)});
     process.stdout.write("locked"); setInterval(() => {}, 1000);`,
  ]);
  await once(child.stdout, "data");
  await expect(lockDirectory(dir)).rejects.toMatchObject({
    message: expect.stringContaining(`process ${child.pid}`),
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  await (await lockDirectory(dir)).release();
});

test("a damaged lock file means nothing, and a full disk is no reason", async () => {
  const dir = await directory();
  for (const content of ["garbage", "x".repeat(5_000), Buffer.alloc(4_096)]) {
    await writeFile(join(dir, "lock.db"), content);
    const lock = await lockDirectory(dir);
    await expect(lockDirectory(dir)).rejects.toMatchObject({ code: "LOCKED" });
    await lock.release();
  }
  // Nothing is written for a lock: the file stays empty, and has no journal.
  await writeFile(join(dir, "lock.db"), "");
  const lock = await lockDirectory(dir);
  expect((await readdir(dir)).filter((name) => name.startsWith("lock.db"))).toEqual(["lock.db"]);
  expect((await stat(join(dir, "lock.db"))).size).toBe(0);
  await lock.release();
});
