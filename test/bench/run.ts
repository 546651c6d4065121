import { readdirSync } from "node:fs";

/** `npm run bench -- NAME` runs NAME.ts beside this file. */
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== "run.ts" && file !== "machine.ts")
  .map((file) => file.slice(0, -".ts".length));
const name = process.argv[2] ?? "";

if (names.includes(name)) await import(`./${name}.ts`);
else {
  process.stderr.write(`there is no benchmark "${name}": npm run bench -- ${names.join(" | ")}\n`);
  process.exitCode = 2;
}
