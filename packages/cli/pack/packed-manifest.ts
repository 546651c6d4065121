import { readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** The parts of a `package.json` that packing reads. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly repository?: string | { readonly url: string };
  readonly [key: string]: unknown;
}

export function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8"));
}

/** What the tarball's manifest takes over from the one in the checkout, as it stands there. */
const KEPT = ["name", "version", "description", "type", "peerDependencies", "peerDependenciesMeta"];

/**
 * The `package.json` that people get of the package in `directory`: what is the checkout's affair
 * is left out, and `parts` say what is in the tarball. Packages of ours are wanted in the version
 * that is packed with them, or a later one that fits it.
 */
export function packedManifest(directory: string, parts: Readonly<Record<string, unknown>>) {
  const own = readManifest(directory);
  const root = readManifest(ROOT);
  const dependencies = Object.entries(own.dependencies ?? {}).map(([name, range]) => [
    name,
    name.startsWith("@orgloop/") ? `^${own.version}` : range,
  ]);
  return {
    ...Object.fromEntries(KEPT.filter((key) => key in own).map((key) => [key, own[key]])),
    license: root.license,
    engines: root.engines,
    ...repositoryOf(root, path.relative(ROOT, directory)),
    ...(dependencies.length > 0 && { dependencies: Object.fromEntries(dependencies) }),
    publishConfig: { access: "public", provenance: true },
    ...parts,
  };
}

/**
 * npm compares it with the repository whose CI publishes, when it attests where a package comes
 * from (docs.npmjs.com, "Generating provenance statements"). Without one in the root's manifest it
 * is the one that GitHub's runner names.
 */
function repositoryOf({ repository }: Manifest, directory: string): object {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  const here = server !== undefined && name !== undefined ? `git+${server}/${name}.git` : undefined;
  const url = typeof repository === "object" ? repository.url : (repository ?? here);
  return url === undefined ? {} : { repository: { type: "git", url, directory } };
}
