import { valueOrigin } from "@orgloop/config";
import { suggestion, withoutSecrets } from "@orgloop/engine";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { removalReason } from "../plan/change-reason.ts";
import { ITEM_KINDS, isItemKind, itemsOf, itemValues } from "../project/item-values.ts";
import { readShownProject } from "../project/read-project.ts";
import { placeOf, valueTable } from "../terminal/value-table.ts";

/**
 * `orgloop inspect KIND NAME`: the item as it runs, and the file and line that each value came
 * from.
 */
export const inspect: Command = async (context, [kind = "", name = ""]) => {
  if (!isItemKind(kind)) {
    const message = `there is no kind "${kind}"${suggestion(kind, ITEM_KINDS, "kinds")}`;
    throw new CommandError("USAGE", message);
  }
  const { topology, provenance } = await readShownProject(context);
  const items = itemsOf(topology, kind);
  const item = items.find((candidate) => candidate.name === name);
  if (item === undefined) {
    const names = items.map((candidate) => candidate.name);
    const place = removalReason(provenance, kind, name);
    const off = provenance.originOf(kind, name) ? `: it is switched off at ${place}` : "";
    const message = `there is no ${kind} "${name}"${off || suggestion(name, names, `${kind}s`)}`;
    throw new CommandError("NOT_FOUND", message);
  }

  const values = itemValues(provenance, kind, name, item.value);
  const self = valueOrigin(provenance, kind, name, []);
  context.output.result(
    { kind, name, declared: self, item: withoutSecrets(item.value), values },
    [
      `${context.output.style("bold", `${kind} ${name}`)}  ${placeOf(self)}`,
      valueTable(values),
    ].join("\n"),
  );
  return 0;
};
