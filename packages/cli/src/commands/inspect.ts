import { valueOrigin } from "@orgloop/config";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { ITEM_KINDS, isItemKind, itemsOf, itemValues } from "../item-values.ts";
import { nearestName } from "../nearest-name.ts";
import { readValidProject } from "../read-project.ts";
import { placeOf, valueTable } from "../value-table.ts";

/** `orgloop inspect KIND NAME`: the item as it runs, and the file and line that each value came from. */
export const inspect: Command = async (context, [kind = "", name = ""]) => {
  if (!isItemKind(kind)) {
    throw new CommandError("USAGE", `there is no kind "${kind}"${nearestName(kind, ITEM_KINDS)}`);
  }
  const { topology, provenance } = await readValidProject(context);
  const items = itemsOf(topology, kind);
  const item = items.find((candidate) => candidate.name === name);
  if (item === undefined) {
    const names = items.map((candidate) => candidate.name);
    const off = provenance.originOf(kind, name) ? " (it is switched off)" : "";
    const message = `there is no ${kind} "${name}"${off || nearestName(name, names)}`;
    throw new CommandError("NOT_FOUND", message);
  }

  const values = itemValues(provenance, kind, name, item.value);
  const self = valueOrigin(provenance, kind, name, []);
  context.output.result(
    { kind, name, declared: self, item: item.value, values },
    [
      `${context.output.style("bold", `${kind} ${name}`)}  ${placeOf(self)}`,
      valueTable(values),
    ].join("\n"),
  );
  return 0;
};
