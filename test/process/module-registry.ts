import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

/** An npm registry of the test's own, with one package. */
export interface ModuleRegistry {
  /** What npm needs to know of it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * Packs the folder of a package and serves it; everything else is 404. `work` is a folder for what
 * that takes.
 */
export async function moduleRegistry(folder: string, work: string): Promise<ModuleRegistry> {
  await mkdir(work, { recursive: true });
  const env = {
    npm_config_cache: path.join(work, "cache"),
    npm_config_userconfig: path.join(work, "npmrc"),
    npm_config_globalconfig: path.join(work, "npmrc-global"),
    npm_config_update_notifier: "false",
    npm_config_fetch_retries: "0",
  };
  const packed = await promisify(execFile)(
    "npm",
    ["pack", folder, "--pack-destination", work, "--json"],
    { env: { ...process.env, ...env }, cwd: work },
  );
  const [told] = Object.values(JSON.parse(packed.stdout));
  const { filename, name, version } = told as { filename: string; name: string; version: string };
  const tarball = await readFile(path.join(work, filename));
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(request.url ?? "");
    if (asked === "/module.tgz") return void response.end(tarball);
    if (asked !== `/${name}`) {
      response.writeHead(404, { "content-type": "application/json" });
      return void response.end('{"error":"not found"}');
    }
    const dist = { tarball: `${url}/module.tgz`, integrity };
    const manifest = { name, version, dist };
    const packument = { name, "dist-tags": { latest: version }, versions: { [version]: manifest } };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(packument));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { ...env, npm_config_registry: url },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
