import { type DocumentPath, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { mergeDeep } from "./effective-delivery.ts";
import type { Layer } from "./source-document.ts";

/**
 * Where the value at `path` of `layers` (the strongest first) is written: in the first that has it,
 * else in the last.
 */
export function placed(layers: readonly [Layer, ...Layer[]], path: DocumentPath): Layer {
  const weakest = layers.at(-1) as Layer;
  const has = (layer: Layer) =>
    valueAt(layer.document.value, [...layer.path, ...path]) !== undefined;
  const { document, path: start } = layers.slice(0, -1).find(has) ?? weakest;
  return { document, path: [...start, ...path] };
}

/** The mappings of `layers` (the strongest first) in one; what is no mapping counts as absent. */
export function mergeLayers(layers: readonly Layer[]): Record<string, unknown> {
  let merged: Record<string, unknown> = {};
  for (const { document, path } of layers.toReversed()) {
    const value = valueAt(document.value, path);
    if (isMapping(value)) merged = mergeDeep(merged, value) as Record<string, unknown>;
  }
  return merged;
}
