import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { COMMAND_DEPENDENCIES, packPackages } from "@orgloop/cli/pack";

const run = promisify(execFile);

/**
 * Set-up of the black-box tests: they run the command as people have it, bundled, packed and
 * unpacked into an empty folder, where nothing of the checkout is in reach. Its dependencies are
 * the checkout's, so that no registry is asked. The tarballs of all packages are packed with it.
 */
export default async function installCommand(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.ORGLOOP_COMMAND !== undefined) return undefined;
  const folder = await mkdtemp(path.join(tmpdir(), "orgloop-installed-"));
  const packed = path.join(folder, "packed");
  const modules = path.join(folder, "node_modules");
  const installed = path.join(modules, "orgloop");
  await mkdir(packed);
  await mkdir(installed, { recursive: true });
  const [tarball = ""] = await packPackages(packed);
  await run("tar", ["-xzf", tarball, "-C", installed, "--strip-components", "1"]);
  for (const name of COMMAND_DEPENDENCIES) {
    const link = path.join(modules, name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.resolve(import.meta.dirname, "../node_modules", name), link);
  }
  process.env.ORGLOOP_COMMAND = path.join(installed, "bin/orgloop.js");
  process.env.ORGLOOP_PACKED = packed;
  return async () => {
    delete process.env.ORGLOOP_COMMAND;
    delete process.env.ORGLOOP_PACKED;
    await rm(folder, { recursive: true });
  };
}
