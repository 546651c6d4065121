import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { jsonSchemas } from "@orgloop/config/editor";
import { OWN_PACKAGES, pluginLookup } from "@orgloop/node";
import { ownReferences } from "../src/reference/named-packages.ts";
import { referencePages } from "../src/reference/reference-pages.ts";

// Writes docs/reference/*.md and packages/config/schemas/*.json. Run it after a change of the
// language, of a plugin's settings or of a module's parameters: npm run reference
const root = fileURLToPath(new URL("../../../", import.meta.url));
const references = await ownReferences(OWN_PACKAGES, pluginLookup({ projectDir: root }));

write("docs/reference", referencePages(references));
const schemas = Object.entries(jsonSchemas(references));
write(
  "packages/config/schemas",
  schemas.map(([file, schema]) => [file, `${JSON.stringify(schema, null, 2)}\n`] as const),
);

function write(folder: string, files: Iterable<readonly [file: string, text: string]>): void {
  const directory = `${root}${folder}`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const [file, text] of files) writeFileSync(`${directory}/${file}`, text);
}
