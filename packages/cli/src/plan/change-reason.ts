import {
  type Difference,
  type ItemKind,
  type PlanKind,
  type Provenance,
  type SourceDocument,
  settingOrigin,
  type ValueOrigin,
  valueOrigin,
} from "@orgloop/config";
import { type DocumentPath, valueAt } from "@orgloop/engine";

/**
 * Where the value that a difference leads to was written, and what made it so: `orgloop.yaml:12
 * (parameter max_rate)`, `workspaces/staging.yaml:9 (workspace override)`, `built-in default`.
 * Empty where there is no value any more.
 */
export function reasonOf(
  provenance: Provenance,
  kind: PlanKind,
  name: string,
  { path, to }: Pick<Difference, "path" | "to">,
): string {
  // What runs stands in no file.
  if (to === undefined || provenance.documents.size === 0) return "";
  const origin =
    kind === "bus" || kind === "workspace"
      ? settingOrigin(provenance, kind === "bus" ? ["bus"] : path)
      : valueOrigin(provenance, kind, name, path);
  if (origin === null) return path.length === 0 ? "" : "built-in default";
  const team =
    kind === "bus" || kind === "workspace" ? null : (provenance.ownerOf(kind, name)?.team ?? null);
  const causes = [
    parameterOf(origin),
    isWorkspace(provenance, origin.file)
      ? `workspace ${/^defaults\b/.test(origin.path) ? "default" : "override"}`
      : /^defaults\b/.test(origin.path)
        ? "default"
        : null,
    variableOf(provenance, origin, team),
  ].filter((cause) => cause !== null);
  return `${origin.file}:${origin.line}${causes.length === 0 ? "" : ` (${causes.join(", ")})`}`;
}

/**
 * What made a value of an item beside the place where it was written: `parameter max_rate`,
 * `vars.api at orgloop.yaml:8`; or null.
 */
export function causeOf(
  provenance: Provenance,
  kind: ItemKind,
  name: string,
  origin: ValueOrigin,
): string | null {
  const team = provenance.ownerOf(kind, name)?.team ?? null;
  const causes = [parameterOf(origin), variableOf(provenance, origin, team)];
  return causes.filter((cause) => cause !== null).join(", ") || null;
}

/** Where an item that is no more is switched off; empty where it stands nowhere. */
export function removalReason(provenance: Provenance, kind: PlanKind, name: string): string {
  if (kind === "bus" || kind === "workspace") return "";
  if (provenance.ownerOf(kind, name) === undefined) return "";
  const origin = valueOrigin(provenance, kind, name, ["enabled"]);
  if (origin === null) return "";
  const by = isWorkspace(provenance, origin.file) ? ", workspace override" : "";
  return `${origin.file}:${origin.line} (enabled: false${by})`;
}

/** The parameter of a module that was given there. */
function parameterOf({ path }: Pick<ValueOrigin, "path">): string | null {
  const [, name] = /^modules[[.].*?\.params\.([A-Za-z_][\w-]*)/.exec(path) ?? [];
  return name === undefined ? null : `parameter ${name}`;
}

function isWorkspace({ documents }: Provenance, file: string): boolean {
  return valueAt(documents.get(file)?.value, ["kind"]) === "Workspace";
}

/**
 * The `${vars.x}` that stands there, and where it gets its value; null where the value is written
 * out.
 */
function variableOf(provenance: Provenance, origin: ValueOrigin, team: string | null) {
  const line = provenance.documents.get(origin.file)?.text.split("\n", origin.line).at(-1) ?? "";
  const [written = ""] = /^"[^"]*"|^'[^']*'|^[^"'].*/.exec(line.slice(origin.column - 1)) ?? [];
  const [, name] = /\$\{vars\.([^}]+)\}/.exec(written) ?? [];
  if (name === undefined) return null;
  const { documents, settings } = provenance;
  const workspace = settings.filter(({ file }) => isWorkspace(provenance, file));
  const layers: readonly (readonly [SourceDocument, DocumentPath])[] = [
    ...(team === null
      ? []
      : workspace.map((document) => [document, ["teams", team, "vars", name]] as const)),
    ...(team === null
      ? []
      : [...documents.values()]
          .filter(({ value, file }) => isTeamFile(value, file, team))
          .map((document) => [document, ["vars", name]] as const)),
    ...settings.map((document) => [document, ["vars", name]] as const),
  ];
  const found = layers.find(([document, path]) => document.place(path) !== undefined);
  if (found === undefined) return `vars.${name}`;
  const [document, path] = found;
  return `vars.${name} at ${document.file}:${document.locate(path).line}`;
}

function isTeamFile(value: unknown, file: string, team: string): boolean {
  return valueAt(value, ["kind"]) === "Team" && file.split("/").at(-2) === team;
}
