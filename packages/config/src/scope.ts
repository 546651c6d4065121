import type { Layer } from "./layer.ts";
import type { Vars } from "./substitute-vars.ts";

/** Where names are declared and looked up. */
export interface Scope {
  /** The next place where a name is looked up; null for the project's root. */
  readonly parent: Scope | null;
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
  return { parent: null, qualify: (name) => name, vars, defaults };
}
