#!/usr/bin/env node
// Plain JavaScript that any Node can load. It runs the bundle where that is current, otherwise the sources,
// and looks for a Node that can run them.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isCurrent } from "./is-current.js";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const self = fileURLToPath(import.meta.url);
const own = path.resolve(path.dirname(self), "..");
// Where it was installed there are no sources beside the bundle.
const bundled =
  !existsSync(path.join(own, "src")) ||
  isCurrent(path.join(own, "dist"), path.resolve(own, "../.."));
// The bundle needs what `engines` says; the sources use syntax that is newer than Node 22.
const suits = bundled ? major > 22 || (major === 22 && minor >= 18) : major >= 24;

if (suits) {
  module.enableCompileCache();
  await (bundled ? import("../dist/main.js") : import("../src/main.ts"));
} else {
  const node = ownNode(path.dirname(self));
  if (node === undefined) {
    process.stderr.write(
      `error: orgloop needs Node >= ${bundled ? "22.18" : "24"} (this is ${process.version}): run it through npm or npx in the checkout, after npm ci\n`,
    );
    process.exitCode = 1;
  } else {
    runWith(node, self);
  }
}

/** The checkout's own Node (the dev dependency `node`), looked for upwards from `directory`. */
function ownNode(directory) {
  const candidate = path.join(directory, "node_modules", "node", "bin", "node");
  if (existsSync(candidate)) return candidate;
  const parent = path.dirname(directory);
  return parent === directory ? undefined : ownNode(parent);
}

/** Runs this file under `node`, hands signals on and ends as it ended. */
function runWith(node, file) {
  const child = spawn(node, [file, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to the whole group: handing it on as well would count as the second one.
  process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
