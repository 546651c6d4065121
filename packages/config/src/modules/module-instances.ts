import { formatPath, HIDDEN, holdsReference, valueAt } from "@orgloop/engine";
import type { ValueOrigin } from "../plan/value-origin.ts";
import {
  type Declaration,
  type Declarations,
  ITEM_KINDS,
  type ItemKind,
} from "../resolve/declarations.ts";
import { placed } from "../resolve/layer.ts";
import type { Instance } from "../resolve/scope.ts";
import type { Layer } from "../resolve/source-document.ts";

/** One use of a module, as it was expanded. */
export interface ModuleInstance {
  /** Full: a team's name included. */
  readonly name: string;
  /** The module's own name and version, and its folder from the project. */
  readonly module: {
    readonly name: string;
    readonly version: string | null;
    readonly path: string;
  };
  readonly team: string | null;
  /** The instance around it, of a module that uses modules. */
  readonly within: string | null;
  /** Where the use stands. */
  readonly use: ValueOrigin;
  /**
   * What each parameter is, and where that is given; null for a default. One that is optional and
   * not given is left out.
   */
  readonly params: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly from: ValueOrigin | null;
  }[];
  /** What it expands to, also what is switched off. Not what the instances inside it do. */
  readonly items: readonly { readonly kind: ItemKind; readonly name: string }[];
}

function origin({ document, path }: Layer): ValueOrigin {
  return { file: document.file, ...document.locate(path), path: formatPath(path) };
}

/** A secret that is written out is shown to nobody; a reference is. */
const shown = (value: unknown, secret: boolean): unknown =>
  secret && !(typeof value === "string" && holdsReference(value)) ? HIDDEN : value;

/** Instances for people and tools; `declarations` are the items of the whole project. */
export function moduleInstances(
  instances: readonly Instance[],
  declarations: Partial<Declarations>,
): ModuleInstance[] {
  if (instances.length === 0) return [];
  const byInstance = new Map<Instance, Declaration[]>(instances.map((one) => [one, []]));
  for (const kind of ITEM_KINDS) {
    for (const item of declarations[kind] ?? []) {
      if (item.scope.instance) byInstance.get(item.scope.instance)?.push(item);
    }
  }
  return instances.map((instance) => {
    const { name, module, layers, values, outer } = instance;
    const params = [...values].flatMap(([param, value]) => {
      if (value === undefined) return [];
      const at = placed(layers, ["params", param]);
      const given = valueAt(at.document.value, at.path) !== undefined;
      const secret = module.parameters.find(({ name }) => name === param)?.secret === true;
      return [{ name: param, value: shown(value, secret), from: given ? origin(at) : null }];
    });
    const items = (byInstance.get(instance) ?? [])
      .map((item) => ({ kind: item.kind, name: item.name }))
      .sort((left, right) => ITEM_KINDS.indexOf(left.kind) - ITEM_KINDS.indexOf(right.kind));
    return {
      name,
      module: { name: module.name, version: module.version ?? null, path: module.path },
      team: outer.team?.name ?? null,
      within: outer.instance?.name ?? null,
      use: origin(layers.at(-1) as Layer),
      params,
      items,
    };
  });
}
