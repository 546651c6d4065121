import type { Command } from "../command.ts";
import { itemCounts } from "../modules/item-counts.ts";
import { readValidProject } from "../project/read-project.ts";
import { textTable } from "../terminal/text-table.ts";
import { placeOf } from "../terminal/value-table.ts";

/** `orgloop module list`: every instance, whose it is, what it expands to and where it is used. */
export const moduleList: Command = async (context) => {
  const { instances } = await readValidProject(context);
  const rows = instances.map(({ name, module, team, within, items, use }) => [
    name,
    module.name,
    module.version ?? "-",
    team ?? "-",
    itemCounts(items),
    within === null ? placeOf(use) : `${placeOf(use)} (within ${within})`,
  ]);
  context.output.result(
    instances,
    rows.length === 0
      ? "There are no modules; `orgloop module add` adds one."
      : textTable(["INSTANCE", "MODULE", "VERSION", "TEAM", "EXPANDS TO", "USED AT"], rows),
  );
  return 0;
};
