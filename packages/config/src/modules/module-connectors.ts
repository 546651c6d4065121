import { type DocumentPath, valueAt } from "@orgloop/engine";
import { mayBeUnreadIn, type Unread } from "../read/yaml/unread.ts";
import type { Declaration, ItemKind } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { ItemNames } from "../resolve/item-names.ts";
import { placed } from "../resolve/layer.ts";
import type { Instance } from "../resolve/scope.ts";
import type { Layer } from "../resolve/source-document.ts";
import type { RequirementInput } from "../schema/module-schema.ts";
import { onlyParam } from "./substitute-params.ts";

/** A source or an actor that a parameter names, or that a module requires. */
export interface Connector {
  readonly kind: "source" | "actor";
  /** As it was given, or as the module calls it. */
  readonly name: string;
  /** Undefined where there is none. */
  readonly target: Declaration | undefined;
  /** What happens to routes that need it where it is missing; null: the load fails. */
  readonly fallback: "queue" | "skip" | null;
}

const FALLBACKS = {
  queue: "Its events wait until it exists",
  skip: "The routes that need it are left out",
} as const;

/**
 * The connectors of an instance, by `param NAME` and, for what `requires` lists, by `source ID` and
 * `actor ID`.
 */
export type Connectors = ReadonlyMap<string, Connector>;

/**
 * Looks up what the parameters of every instance name, and what its module requires, where the
 * module is used. What is missing, or is no connector of the package that the module needs, is an
 * error at the use; with `required: false` a warning.
 */
export function findConnectors(
  instances: readonly Instance[],
  names: ItemNames,
  unread: Unread,
  findings: Findings,
): ReadonlyMap<Instance, Connectors> {
  const all = new Map<Instance, Connectors>();
  for (const instance of instances) {
    const connectors = new Map<string, Connector>();
    all.set(instance, connectors);
    const find = (
      kind: "source" | "actor",
      name: string,
      requirement: RequirementInput | undefined,
      param: string | null,
    ): Connector => {
      const path: DocumentPath = param === null ? ["package"] : ["params", param];
      const at = whereGiven(instance, path);
      const written = placed(instance.layers, path);
      const passed = passedOn(instance, written, all);
      const { target, problem } = passed
        ? { target: passed.target, problem: undefined }
        : names.find(kind, name, instance.outer);
      const whole = { ...at, at: "value" } as const;
      const optional = requirement !== undefined && requirement.required === false;
      // What exists, and is not for this team, does not come into being by waiting.
      const refused = problem?.code === "not-exported";
      const fallback = optional && !refused ? (requirement.fallback ?? "skip") : null;
      if (target === undefined) {
        const what =
          param === null ? `module "${instance.module.name}" needs it` : `parameter "${param}"`;
        const said = problem?.message ?? `there is no ${kind} "${name}"`;
        if (fallback !== null) {
          const message = `${what}: ${said}${said.endsWith("?") ? "" : "."} ${FALLBACKS[fallback]}`;
          findings.warnings.push({ ...whole, code: "missing-connector", message });
        } else if (!passed && !mayBeUnreadIn(unread, name, instance.outer)) {
          const code = problem?.code ?? "unknown-reference";
          findings.errors.push({ ...whole, code, message: `${what}: ${said}` });
        }
      } else checkPackage(instance, requirement, target, whole, findings);
      return { kind, name, target, fallback: target === undefined ? fallback : null };
    };
    for (const [param, { type, requirement }] of instance.parameters) {
      const value = instance.values.get(param);
      if ((type !== "source" && type !== "actor") || typeof value !== "string") continue;
      const found = find(type, value, requirement, param);
      connectors.set(`param ${param}`, found);
      if (requirement) connectors.set(`${type} ${requirement.id}`, found);
    }
    for (const requirement of instance.module.requirements) {
      if (requirement.param !== undefined) continue;
      const { type, id } = requirement;
      connectors.set(`${type} ${id}`, find(type, id, requirement, null));
    }
  }
  return all;
}

/** The place of a parameter, or of the use where it is not given. */
function whereGiven({ layers }: Instance, path: DocumentPath): Layer {
  const at = placed(layers, path);
  return valueAt(at.document.value, at.path) === undefined ? placed(layers, ["package"]) : at;
}

/**
 * The connector of the instance around this one, where a parameter is nothing but one of its
 * parameters.
 */
function passedOn(
  instance: Instance,
  written: Layer,
  all: ReadonlyMap<Instance, Connectors>,
): Connector | undefined {
  const around = instance.outer.instance;
  const param = onlyParam(valueAt(written.document.instance?.raw, written.path));
  return around === null || param === null ? undefined : all.get(around)?.get(`param ${param}`);
}

function checkPackage(
  instance: Instance,
  requirement: RequirementInput | undefined,
  target: Declaration,
  place: Layer & { readonly at: "value" },
  findings: Findings,
): void {
  const wanted = [requirement?.connector ?? []].flat();
  const { connector } = target.value as { connector?: unknown };
  if (wanted.length === 0 || wanted.includes(String(connector))) return;
  const message = `${target.kind} "${target.name}" uses ${connector}; module "${instance.module.name}" needs ${wanted.join(" or ")}`;
  findings.errors.push({ ...place, code: "wrong-connector", message });
}

/**
 * The connector that the reference at `path` of a module's item means; undefined where it is an
 * ordinary name.
 */
export function connectorAt(
  item: Declaration,
  kind: ItemKind,
  name: string,
  path: DocumentPath,
  connectors: Connectors | undefined,
  names: ItemNames,
): Connector | undefined {
  if (connectors === undefined || (kind !== "source" && kind !== "actor")) return undefined;
  const { document, path: full } = placed(item.layers, path);
  const param = onlyParam(valueAt(document.instance?.raw, full));
  const given = param === null ? undefined : connectors.get(`param ${param}`);
  if (given?.kind === kind) return given;
  return names.has(kind, item.scope.qualify(name)) ? undefined : connectors.get(`${kind} ${name}`);
}
