import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { packedTarballs } from "./packed-tarballs.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** An npm registry of the test's own. */
export interface PackageRegistry {
  /** What npm needs to know of it; its cache is in `work`. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Version {
  readonly manifest: { readonly version: string };
  /** Arguments of `tar` that write the tarball to stdout, or its file. */
  readonly tarball: readonly string[] | string;
}

/**
 * Serves our packed packages, and others as the checkout has them installed, so that npm resolves
 * and unpacks what it would after a release, without a network. Everything else is 404.
 */
export async function packageRegistry(work: string): Promise<PackageRegistry> {
  await mkdir(work, { recursive: true });
  const ours = await packedVersions();
  const installed = installedFolders();
  const versionsOf = (name: string): readonly Version[] =>
    ours.get(name) ?? (installed.get(name) ?? []).map(installedVersion);

  const server = createServer(({ url: asked = "" }, response) => {
    const [name = "", version] = decodeURIComponent(asked.slice(1)).split("/-/");
    const versions = versionsOf(name);
    if (version !== undefined) {
      const wanted = versions.find(({ manifest }) => manifest.version === version);
      return wanted === undefined ? refuse(response) : send(wanted, response);
    }
    if (versions.length === 0) return refuse(response);
    const listed = versions.map(({ manifest }) => {
      const dist = { tarball: `${url}/${name}/-/${manifest.version}` };
      return [manifest.version, { ...manifest, dist }];
    });
    const latest = versions.at(-1)?.manifest.version;
    const reported = { name, "dist-tags": { latest }, versions: Object.fromEntries(listed) };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reported));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: {
      npm_config_registry: url,
      npm_config_cache: path.join(work, "cache"),
      npm_config_userconfig: path.join(work, "npmrc"),
      npm_config_globalconfig: path.join(work, "npmrc-global"),
      npm_config_update_notifier: "false",
      npm_config_fetch_retries: "0",
      npm_config_audit: "false",
      npm_config_fund: "false",
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Our packages by name, as they are packed. */
async function packedVersions(): Promise<Map<string, readonly Version[]>> {
  const packed = packedTarballs().map(async (tarball) => {
    const { stdout } = await run("tar", ["-xzOf", tarball, "package/package.json"]);
    const manifest = JSON.parse(stdout);
    return [manifest.name, [{ manifest, tarball }]] as const;
  });
  return new Map(await Promise.all(packed));
}

/** Folders of the packages that `package-lock.json` names and this machine has, by name. */
function installedFolders(): Map<string, readonly string[]> {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8"));
  const folders = Object.keys(packages).filter(
    (folder) => folder.includes("node_modules/") && !packages[folder].link,
  );
  const present = folders.filter((folder) => existsSync(path.join(ROOT, folder, "package.json")));
  return Map.groupBy(present, (folder) => folder.split("node_modules/").at(-1) ?? "");
}

function installedVersion(folder: string): Version {
  const at = path.join(ROOT, folder);
  const manifest = JSON.parse(readFileSync(path.join(at, "package.json"), "utf8"));
  const name = path.basename(at);
  const only = ["--exclude", `${name}/node_modules`, "-C", path.dirname(at), name];
  return { manifest, tarball: ["-czf", "-", ...only] };
}

function send({ tarball }: Version, response: ServerResponse): void {
  if (typeof tarball === "string") return void response.end(readFileSync(tarball));
  const tar = spawn("tar", tarball, { stdio: ["ignore", "pipe", "inherit"] });
  tar.stdout.pipe(response);
}

function refuse(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "application/json" }).end('{"error":"not found"}');
}
