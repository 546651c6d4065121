import { valueOrigin } from "@orgloop/config";
import { suggestion } from "@orgloop/engine";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { itemsOf, itemValues } from "../project/item-values.ts";
import { readValidProject } from "../project/read-project.ts";
import { textTable } from "../terminal/text-table.ts";
import { placeOf, shortValue, valueTable } from "../terminal/value-table.ts";

/**
 * `orgloop module show INSTANCE`: its parameters, and what it expands to, each value with the place
 * it came from.
 */
export const moduleShow: Command = async (context, [wanted = ""]) => {
  const { topology, provenance, instances } = await readValidProject(context);
  const instance = instances.find(({ name }) => name === wanted);
  if (instance === undefined) {
    const names = instances.map(({ name }) => name);
    const message = `there is no instance "${wanted}" of a module${suggestion(wanted, names, "instances")}`;
    throw new CommandError("NOT_FOUND", message);
  }
  const items = instance.items.map(({ kind, name }) => {
    const item = itemsOf(topology, kind).find((one) => one.name === name)?.value ?? null;
    return {
      kind,
      name,
      enabled: item !== null,
      declared: valueOrigin(provenance, kind, name, []),
      values: item === null ? [] : itemValues(provenance, kind, name, item),
    };
  });
  const inner = instances.filter(({ within }) => within === wanted).map(({ name }) => name);
  const { name, module, team, use, params } = instance;
  const { output } = context;
  const version = module.version === null ? "" : ` ${module.version}`;
  output.result(
    { ...instance, instances: inner, items },
    [
      `${output.style("bold", name)}  module ${module.name}${version} (${module.path}), used at ${placeOf(use)}`,
      ...(team === null ? [] : [`of team ${team}`]),
      ...(inner.length === 0 ? [] : [`uses ${inner.join(", ")}`]),
      "",
      params.length === 0
        ? "It has no parameters."
        : textTable(
            ["PARAMETER", "VALUE", "FROM"],
            params.map((it) => [it.name, shortValue(it.value), placeOf(it.from)]),
          ),
      ...items.flatMap((item) => [
        "",
        `${output.style("bold", `${item.kind} ${item.name}`)}  ${item.enabled ? placeOf(item.declared) : "(switched off)"}`,
        ...(item.values.length === 0 ? [] : [valueTable(item.values)]),
      ]),
    ].join("\n"),
  );
  return 0;
};
