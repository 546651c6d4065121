import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { jsonSchemas } from "../src/schema/json-schemas.ts";

// Writes packages/config/schemas/*.json. Run it after a change of src/schema: npm run schemas -w
// @orgloop/config
const directory = fileURLToPath(new URL("../schemas/", import.meta.url));
mkdirSync(directory, { recursive: true });
for (const [file, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(`${directory}${file}`, `${JSON.stringify(schema, null, 2)}\n`);
}
