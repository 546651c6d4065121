import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Campaign } from "./campaign.ts";

/*
 * `npm run campaign -- NAME --minutes N` runs NAME.ts beside this file. Exits 1 where something was
 * lost.
 */
const NOT_CAMPAIGNS = new Set(["run.ts", "campaign.ts"]);
const names = readdirSync(import.meta.dirname)
  .filter(
    (file) => !file.endsWith("-world.ts") && !file.endsWith(".test.ts") && !NOT_CAMPAIGNS.has(file),
  )
  .map((file) => file.slice(0, -".ts".length));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "1" } },
});
const [name = ""] = positionals;
const minutes = Number(values.minutes);

if (!names.includes(name) || !(minutes > 0)) {
  process.stderr.write(`usage: npm run campaign -- ${names.join(" | ")} --minutes N\n`);
  process.exitCode = 2;
} else {
  const { campaign } = (await import(`./${name}.ts`)) as { readonly campaign: Campaign };
  const untilMs = performance.now() + minutes * 60_000;
  const { said, faults } = await campaign(() => performance.now() < untilMs);
  for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`);
  process.stdout.write(`${name}: ${said}, ${faults.length} faults\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
