import { valueAt } from "@orgloop/engine";
import { type AwsSpec, isMapping, type NetworkSpec } from "@orgloop/sdk";
import type { Settings } from "./build-topology.ts";
import { mergeLayers } from "./layer.ts";
import type { Scope } from "./scope.ts";
import type { SourceDocument } from "./source-document.ts";

/**
 * What a valid project is beside its items: the first of `documents` (the workspace, the manifest)
 * that says it. A bus is taken whole, since the options of one do not fit another; `network` and
 * `aws` are merged.
 */
export function projectSettings(
  workspace: string,
  documents: readonly SourceDocument[],
  { vars, defaults }: Pick<Scope, "vars" | "defaults">,
): Settings {
  const said = (key: string) =>
    documents.map(({ value }) => valueAt(value, [key])).find((value) => value !== undefined);
  const merged = <Value>(key: string): Record<string, Value> => {
    const layers = documents.map((document) => ({ document, path: [key] }));
    return layers.some(({ document }) => isMapping(valueAt(document.value, [key])))
      ? { [key]: mergeLayers(layers) as Value }
      : {};
  };
  return {
    project: String(valueAt(documents.at(-1)?.value, ["metadata", "name"])),
    workspace,
    bus: (said("bus") as Settings["bus"] | undefined) ?? "file",
    vars,
    defaults: mergeLayers(defaults),
    ...merged<NetworkSpec>("network"),
    ...merged<AwsSpec>("aws"),
  };
}
