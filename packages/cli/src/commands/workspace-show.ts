import { existsSync } from "node:fs";
import path from "node:path";
import {
  DEFAULT_WORKSPACE,
  type Provenance,
  type SourceDocument,
  settingOrigin,
} from "@orgloop/config";
import {
  type DocumentPath,
  formatPath,
  ownSecretsOf,
  valueAt,
  withoutSecrets,
} from "@orgloop/engine";
import { isMapping, type Topology } from "@orgloop/sdk";
import type { Command } from "../command.ts";
import { dataDirectory } from "../process/data-directory.ts";
import { findProcess } from "../process/running-process.ts";
import { isItemKind, itemsOf, leaves, type PlacedValue } from "../project/item-values.ts";
import { findWorkspace, knownWorkspaces } from "../project/known-workspaces.ts";
import { readShownProject } from "../project/read-project.ts";
import { valueTable } from "../terminal/value-table.ts";

/**
 * `orgloop workspace show [NAME]`: its settings, variables and overrides, each with the place it
 * comes from, and its state.
 */
export const workspaceShow: Command = async (outer, [wanted]) => {
  const known = knownWorkspaces(outer);
  const name = wanted ?? outer.flags.workspace;
  const { file, current } = findWorkspace(known, name);
  const context = { ...outer, flags: { ...outer.flags, workspace: name } };
  const project = await readShownProject(context);
  const { dataDir } = dataDirectory(context, project);
  const { topology, provenance } = project;
  const own = provenance.settings.find(({ value }) => valueAt(value, ["kind"]) === "Workspace");

  const settings = settingsOf(topology, provenance);
  const vars = varsOf(provenance, own);
  const overrides = own === undefined ? [] : overridesOf(own, topology);
  const { readAppliedState } = await import("@orgloop/node/applied-state");
  const applied = existsSync(dataDir) ? await readAppliedState(dataDir) : null;
  const running = (await findProcess(context.home, dataDir)) !== null;
  const state = applied && {
    serial: applied.serial,
    hash: applied.hash,
    applied_at: applied.applied_at,
  };
  const { output } = context;
  const applies = state === null ? "nothing applied yet" : `serial ${state.serial}`;
  output.result(
    {
      workspace: name,
      current,
      file,
      data_dir: dataDir,
      running,
      state,
      settings,
      vars,
      overrides,
    },
    [
      `${output.style("bold", name)}${current ? " (selected)" : ""}  ${file ?? "no file: orgloop.yaml alone"}`,
      `state ${dataDir} (${applies}, ${running ? "running" : "not running"})`,
      "",
      valueTable(settings, ["SETTING", "VALUE", "FROM"]),
      ...(vars.length > 0 ? ["", valueTable(vars, ["VARIABLE", "VALUE", "FROM"])] : []),
      ...(overrides.length > 0 ? ["", valueTable(overrides, ["OVERRIDE", "VALUE", "FROM"])] : []),
      ...(name === DEFAULT_WORKSPACE || overrides.length + vars.length > 0
        ? []
        : ["", "It overrides no item."]),
    ].join("\n"),
  );
  return 0;
};

function settingsOf({ bus, defaults, network, aws }: Topology, provenance: Provenance) {
  const placed = (root: DocumentPath, value: unknown, from?: DocumentPath): PlacedValue[] =>
    leaves(value, root).map((leaf) => ({
      path: formatPath(leaf.path),
      value: withoutSecrets(leaf.value, leaf.path),
      origin: settingOrigin(provenance, from ?? leaf.path),
    }));
  return [
    ...placed(["bus"], bus, ["bus"]),
    ...placed(["defaults"], defaults),
    ...placed(["network"], network),
    ...placed(["aws"], aws),
  ];
}

/** Every variable with the value that counts: of the project, then of the teams. */
function varsOf({ settings, documents }: Provenance, own: SourceDocument | undefined) {
  const vars = (layers: readonly [SourceDocument, DocumentPath][]): PlacedValue[] => {
    const found = new Map<string, PlacedValue>();
    for (const [document, start] of layers) {
      const mapping = valueAt(document.value, start);
      for (const name of isMapping(mapping) ? Object.keys(mapping) : []) {
        if (found.has(name)) continue;
        const at = [...start, name];
        const label = formatPath(start[0] === "teams" ? at : [...teamOf(document), ...at]);
        found.set(name, {
          path: label,
          value: valueAt(document.value, at),
          origin: place(document, at),
        });
      }
    }
    return [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  };
  const teams = [...documents.values()].filter(({ value }) => valueAt(value, ["kind"]) === "Team");
  return [
    ...vars(settings.map((document) => [document, ["vars"]])),
    ...teams.flatMap((team) => {
      const over = own ? [[own, [...teamOf(team), "vars"]] as [SourceDocument, DocumentPath]] : [];
      return vars([...over, [team, ["vars"]]]);
    }),
  ];
}

/** `["teams", NAME]` for a team's own file. */
function teamOf({ file, value }: SourceDocument): DocumentPath {
  if (valueAt(value, ["kind"]) !== "Team") return [];
  return ["teams", path.posix.basename(path.posix.dirname(file))];
}

const OVERRIDES = ["sources", "actors", "routes", "transforms", "loggers", "teams", "modules"];

/** What the workspace's file changes in items, modules and teams. */
function overridesOf(own: SourceDocument, topology: Topology): PlacedValue[] {
  const shown = (value: unknown, at: DocumentPath): unknown => {
    const [list, name, ...inside] = at;
    const item = itemsIn(topology, list).find((one) => one.name === name);
    if (item === undefined) return withoutSecrets(value, at);
    return withoutSecrets(value, inside, ownSecretsOf(item.value));
  };
  return OVERRIDES.flatMap((key) => leaves(valueAt(own.value, [key]), [key])).map(
    ({ path: at, value }) => ({
      path: formatPath(at),
      value: shown(value, at),
      origin: place(own, at),
    }),
  );
}

function itemsIn(topology: Topology, list: unknown) {
  const kind = String(list).slice(0, -1);
  return isItemKind(kind) ? itemsOf(topology, kind) : [];
}

function place(document: SourceDocument, at: DocumentPath) {
  return { file: document.file, ...document.locate(at), path: formatPath(at) };
}
