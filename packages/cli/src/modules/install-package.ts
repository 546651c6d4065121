import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { hasCode } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";

/** How one package manager is called. */
interface Manager {
  readonly locks: readonly string[];
  /** Arguments that add a package. */
  readonly add: (directory: string) => readonly string[];
  /** Arguments that make `node_modules` what the lock file says. */
  readonly sync: readonly string[];
}

const QUIET = ["--no-audit", "--no-fund"];

const MANAGERS = {
  pnpm: {
    locks: ["pnpm-lock.yaml"],
    add: (directory) => ["add", ...(isPnpmRoot(directory) ? ["--workspace-root"] : [])],
    sync: ["install"],
  },
  yarn: {
    locks: ["yarn.lock"],
    add: (directory) => [
      "add",
      ...(isYarnOneRoot(directory) ? ["--ignore-workspace-root-check"] : []),
    ],
    sync: ["install"],
  },
  bun: { locks: ["bun.lock", "bun.lockb"], add: () => ["add"], sync: ["install"] },
  npm: {
    locks: ["package-lock.json", "npm-shrinkwrap.json"],
    add: () => ["install", ...QUIET],
    sync: ["install", ...QUIET],
  },
} as const satisfies Readonly<Record<string, Manager>>;

type ManagerName = keyof typeof MANAGERS;

/** Every file that an installation may change beside `node_modules`. */
export const PACKAGE_FILES: readonly string[] = [
  "package.json",
  ...Object.values(MANAGERS).flatMap(({ locks }) => [...locks]),
];

/** The package manager of a project, and where it works. */
export interface PackageManager {
  readonly name: ManagerName;
  /** The folder of the nearest package.json; the project's own where there is none. Absolute. */
  readonly directory: string;
  /**
   * Folders whose {@link PACKAGE_FILES} it may change: from that one up to the one with the lock
   * file.
   */
  readonly folders: readonly string[];
}

/**
 * The user's own package manager: what `packageManager` in a package.json names, else whose lock
 * file there is, from the project upwards; npm where nothing says.
 */
export function packageManagerOf(projectDir: string): PackageManager {
  const folders: string[] = [];
  let directory: string | undefined;
  for (let at = projectDir; ; at = path.dirname(at)) {
    folders.push(at);
    const manifest = path.join(at, "package.json");
    if (existsSync(manifest)) directory ??= at;
    const name = namedIn(manifest) ?? lockedIn(at);
    if (name !== undefined) return { name, directory: directory ?? projectDir, folders };
    if (path.dirname(at) === at) break;
  }
  const own = directory ?? projectDir;
  return { name: "npm", directory: own, folders: [own] };
}

/**
 * Adds a package, as `NAME` or `NAME@VERSION`. Throws `NOT_INSTALLED` with what the manager said;
 * `signal` ends the manager.
 */
export function installPackage(
  manager: PackageManager,
  wanted: string,
  signal?: AbortSignal,
): Promise<void> {
  const { name, directory } = manager;
  return run(manager, [...MANAGERS[name].add(directory), wanted], signal);
}

/** Makes `node_modules` what package.json and the lock file say. */
export function syncPackages(manager: PackageManager): Promise<void> {
  return run(manager, MANAGERS[manager.name].sync);
}

function namedIn(manifest: string): ManagerName | undefined {
  if (!existsSync(manifest)) return undefined;
  try {
    const { packageManager } = JSON.parse(readFileSync(manifest, "utf8"));
    const [name = ""] = String(packageManager ?? "").split("@");
    return Object.hasOwn(MANAGERS, name) ? (name as ManagerName) : undefined;
  } catch (error) {
    throw new CommandError("BAD_PACKAGE_JSON", `${manifest} is no JSON`, { cause: error });
  }
}

function lockedIn(directory: string): ManagerName | undefined {
  const names = Object.keys(MANAGERS) as ManagerName[];
  return names.find((name) =>
    MANAGERS[name].locks.some((lock) => existsSync(path.join(directory, lock))),
  );
}

const isPnpmRoot = (directory: string) => existsSync(path.join(directory, "pnpm-workspace.yaml"));

/** Yarn 1 refuses to add to the root of a workspace otherwise; later ones do not know the flag. */
function isYarnOneRoot(directory: string): boolean {
  const lock = path.join(directory, "yarn.lock");
  const manifest = path.join(directory, "package.json");
  if (!existsSync(lock) || !existsSync(manifest)) return false;
  if (JSON.parse(readFileSync(manifest, "utf8")).workspaces === undefined) return false;
  return readFileSync(lock, "utf8").slice(0, 200).includes("yarn lockfile v1");
}

/** The end of what a failed manager said. */
const SAID_CHARACTERS = 2_000;

function run(
  { name, directory }: PackageManager,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(name, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  const end = () => child.kill();
  signal?.addEventListener("abort", end);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said = (said + chunk).slice(-SAID_CHARACTERS);
    });
  }
  const fail = (why: string, cause?: unknown) =>
    reject(new CommandError("NOT_INSTALLED", `${name} ${args.join(" ")}: ${why}`, { cause }));
  child.once("error", (error) => {
    if (!hasCode(error, "ENOENT")) return fail(error.message, error);
    fail(`there is no ${name} on this machine, and the project is one of ${name}'s: install it`);
  });
  child.once("close", (code, by) => {
    signal?.removeEventListener("abort", end);
    if (signal?.aborted) fail("interrupted");
    else if (code === 0) resolve();
    else fail(`ended ${code === null ? `by ${by}` : `with ${code}`}:\n${said.trim()}`);
  });
  return promise;
}
