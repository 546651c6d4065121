import { parseArgs } from "node:util";
import { type Campaign, KEPT_HERE } from "./campaign.ts";

/*
 * `npm run campaign -- NAME --minutes N [--keep FOLDER]` runs NAME.ts beside this file. Exits 1
 * where something was lost; what shows it is kept in a folder of FOLDER.
 */
const NAMES = ["crash", "damage", "power", "clock"];
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "1" },
    keep: { type: "string", default: KEPT_HERE },
  },
});
const [name = ""] = positionals;
const minutes = Number(values.minutes);

if (!NAMES.includes(name) || !(minutes > 0)) {
  process.stderr.write(
    `usage: npm run campaign -- ${NAMES.join(" | ")} --minutes N [--keep FOLDER]\n`,
  );
  process.exitCode = 2;
} else {
  const { campaign } = (await import(`./${name}.ts`)) as { readonly campaign: Campaign };
  const untilMs = performance.now() + minutes * 60_000;
  const {
    said,
    faults,
    kept = [],
  } = await campaign(() => performance.now() < untilMs, values.keep);
  for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`);
  for (const folder of kept) process.stdout.write(`kept: ${folder}\n`);
  process.stdout.write(`${name}: ${said}, ${faults.length} faults\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
