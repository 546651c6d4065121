import {
  type DocumentPath,
  formatPath,
  type ItemKind,
  originKey,
  type ValueOrigin,
  valueOrigin,
} from "@orgloop/config";
import type { Topology } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { nearestName } from "../nearest-name.ts";
import { readValidProject } from "../read-project.ts";
import { textTable } from "../text-table.ts";

interface Item {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const ITEMS: Readonly<Record<ItemKind, (topology: Topology) => readonly Item[]>> = {
  source: ({ sources }) => sources.map((value) => ({ name: value.id, value: { ...value } })),
  actor: ({ actors }) => actors.map((value) => ({ name: value.id, value: { ...value } })),
  route: ({ routes }) => routes.map((value) => ({ name: value.name, value: { ...value } })),
  transform: ({ transforms }) =>
    transforms.map((value) => ({ name: value.name, value: { ...value } })),
  logger: ({ loggers }) => loggers.map((value) => ({ name: value.name, value: { ...value } })),
};

/** `orgloop inspect KIND NAME`: the item as it runs, and the file and line that each value came from. */
export const inspect: Command = async (context, [kind = "", name = ""]) => {
  if (!isItemKind(kind)) {
    const kinds = Object.keys(ITEMS);
    throw new CommandError("USAGE", `there is no kind "${kind}"${nearestName(kind, kinds)}`);
  }
  const { topology, provenance } = await readValidProject(context);
  const items = ITEMS[kind](topology);
  const item = items.find((candidate) => candidate.name === name);
  if (item === undefined) {
    const names = items.map((candidate) => candidate.name);
    const off = provenance.origins.has(originKey(kind, name)) ? " (it is switched off)" : "";
    const message = `there is no ${kind} "${name}"${off || nearestName(name, names)}`;
    throw new CommandError("NOT_FOUND", message);
  }

  const values = leaves(item.value).map(({ path, value }) => ({
    path: formatPath(path),
    value,
    origin: valueOrigin(provenance, kind, name, path),
  }));
  const self = valueOrigin(provenance, kind, name, []);
  context.output.result(
    { kind, name, declared: self, item: item.value, values },
    [
      `${context.output.style("bold", `${kind} ${name}`)}  ${placeOf(self)}`,
      textTable(
        ["PATH", "VALUE", "FROM"],
        values.map(({ path, value, origin }) => [path, short(value), placeOf(origin)]),
      ),
    ].join("\n"),
  );
  return 0;
};

function isItemKind(kind: string): kind is ItemKind {
  return Object.hasOwn(ITEMS, kind);
}

function leaves(
  value: unknown,
  path: DocumentPath = [],
): { readonly path: DocumentPath; readonly value: unknown }[] {
  const nested = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (nested.length === 0) return path.length === 0 ? [] : [{ path, value }];
  return nested.flatMap(([key, inner]) =>
    leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function placeOf(origin: ValueOrigin | null): string {
  return origin === null ? "(default)" : `${origin.file}:${origin.line}:${origin.column}`;
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
