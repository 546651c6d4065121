import type { LoadedModule } from "../modules/load-module.ts";
import type { Parameter } from "../modules/module-parameters.ts";
import type { Layer, SourceDocument } from "./source-document.ts";
import type { Vars } from "./substitute-vars.ts";

/** A folder of `teams/`. */
export interface Team {
  readonly name: string;
  readonly owners: readonly string[];
  /** Names, without the team's, that others may refer to. */
  readonly exports: ReadonlySet<string>;
  /** Where its `team.yaml` is, or would be. */
  readonly file: string;
  /** Its `team.yaml`; undefined where there is none. */
  readonly document: SourceDocument | undefined;
}

/** One use of a module. */
export interface Instance {
  /** Its full name, the team's included. */
  readonly name: string;
  readonly module: LoadedModule;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly values: ReadonlyMap<string, unknown>;
  /** Where its parameters are given, the strongest first: the workspace's override, the use. */
  readonly layers: readonly [Layer, ...Layer[]];
  /** Where the use stands: what its parameters name is looked up there. */
  readonly outer: Scope;
}

/** Where names are declared and looked up. */
export interface Scope {
  /** The next place where a name is looked up; null for the project's root. */
  readonly parent: Scope | null;
  readonly team: Team | null;
  /**
   * The module's instance whose items these are; null for what is written in the project itself.
   */
  readonly instance: Instance | null;
  /** The full name of what is called `name` in here. */
  qualify(name: string): string;
  /** What `${vars.x}` stands for. */
  readonly vars: Vars;
  /** The `defaults` that apply, the strongest first. */
  readonly defaults: readonly Layer[];
}

/** `compute`, called once for each scope. */
export function oncePerScope<Value>(compute: (scope: Scope) => Value): (scope: Scope) => Value {
  const known = new Map<Scope, Value>();
  return (scope) => {
    if (!known.has(scope)) known.set(scope, compute(scope));
    return known.get(scope) as Value;
  };
}

export function rootScope(vars: Vars, defaults: readonly Layer[]): Scope {
  return { parent: null, team: null, instance: null, qualify: (name) => name, vars, defaults };
}

/** The scope of a team: its `vars` and `defaults` before the root's. */
export function teamScope(root: Scope, team: Team, vars: Vars, defaults: readonly Layer[]): Scope {
  return {
    parent: root,
    team,
    instance: null,
    qualify: (name) => `${team.name}/${name}`,
    vars: { ...root.vars, ...vars },
    defaults: [...defaults, ...root.defaults],
  };
}

/**
 * `name`, with the instance's name before it unless it has it (`docs/configuration.md`, Modules).
 */
export const prefixed = (instance: string, name: string): string =>
  name === instance || name.startsWith(`${instance}-`) ? name : `${instance}-${name}`;

/** The scope of the items of an instance, called `local` in its team. */
export function instanceScope(instance: Instance, local: string): Scope {
  const { outer } = instance;
  const prefix = outer.team === null ? "" : `${outer.team.name}/`;
  return {
    ...outer,
    parent: outer,
    instance,
    qualify: (name) => `${prefix}${prefixed(local, name)}`,
  };
}

/** ` (owners: a, b)`, or nothing where the team does not say. */
export const ownersOf = ({ owners }: Team): string =>
  owners.length === 0 ? "" : ` (owners: ${owners.join(", ")})`;
