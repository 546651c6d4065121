import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OWN_PACKAGES, pluginLookup } from "@orgloop/node";
import { ownReferences } from "../src/reference/named-packages.ts";
import { referencePages } from "../src/reference/reference-pages.ts";

// Writes docs/reference/*.md. Run it after a change of a plugin's settings or of a module's
// parameters: npm run reference
const directory = fileURLToPath(new URL("../../../docs/reference/", import.meta.url));
const lookup = pluginLookup({ projectDir: directory });
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory, { recursive: true });
for (const [file, text] of referencePages(await ownReferences(OWN_PACKAGES, lookup))) {
  writeFileSync(`${directory}${file}`, text);
}
