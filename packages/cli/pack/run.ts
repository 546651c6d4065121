import { mkdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { packPackages } from "./pack-packages.ts";
import { ROOT } from "./packed-manifest.ts";

// `npm run pack`: the tarballs, in `build`.
const out = path.join(ROOT, "build");
rmSync(out, { recursive: true, force: true });
mkdirSync(out);
for (const tarball of await packPackages(out)) {
  const kilobytes = (statSync(tarball).size / 1_000).toFixed(0);
  console.log(`${kilobytes.padStart(6)} kB  ${path.relative(ROOT, tarball)}`);
}
