import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT, readManifest } from "./packed-manifest.ts";

const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const NOTICES = "{LICENSE,LICENCE,License,license,COPYING,NOTICE}{,.*,-*}";

/**
 * The licences of others' packages in a bundle, which ask to go with it: each text once, below the
 * packages that have it. `inputs` are the bundle's files, relative to the repository's root.
 */
export function bundledLicenses(inputs: Iterable<string>): string {
  const folders = new Set([...inputs].flatMap((file) => PACKAGE.exec(file)?.[0] ?? []));
  const byText = Map.groupBy([...folders].sort(), noticesOf);
  const parts = [...byText].map(([text, having]) => {
    const titles = new Set(having.map(titleOf));
    return `${[...titles].join("\n")}\n\n${text}`;
  });
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

function titleOf(folder: string): string {
  const { name, version, license } = readManifest(path.join(ROOT, folder));
  return `${name} ${version} (${license})`;
}

/** What stands in its licence files; nothing where it has none but the name of the licence. */
function noticesOf(folder: string): string {
  const found = globSync(NOTICES, { cwd: path.join(ROOT, folder) }).sort();
  const texts = found.map((file) => readFileSync(path.join(ROOT, folder, file), "utf8").trim());
  return texts.map((text) => `${text.replaceAll("\r\n", "\n")}\n`).join("\n");
}
