import { isDeepStrictEqual } from "node:util";
import type { Topology } from "@orgloop/sdk";
import type { Generation } from "./generation.ts";

const KINDS = ["source", "actor", "transform", "logger"] as const;

/**
 * What was made anew although its configuration is the same, e.g. `actor "reviewer"`: a value
 * behind one of its references has changed. In the order of the configuration.
 */
export function renewedPlugins(from: Generation, to: Generation): readonly string[] {
  // Another reach makes everything anew.
  if (!isDeepStrictEqual(from.plugins.allowPrivate, to.plugins.allowPrivate)) return [];
  return KINDS.flatMap((kind) => {
    const before = configsOf(from.topology, kind);
    const [old, made] = [from.plugins[`${kind}s`], to.plugins[`${kind}s`]];
    return [...configsOf(to.topology, kind)]
      .filter(([name, config]) => {
        const plugin = made.get(name);
        const known = old.get(name);
        if (known === undefined || known === plugin) return false;
        return known.package === plugin?.package && isDeepStrictEqual(before.get(name), config);
      })
      .map(([name]) => `${kind} "${name}"`);
  });
}

function configsOf(topology: Topology, kind: (typeof KINDS)[number]): ReadonlyMap<string, unknown> {
  return new Map(
    topology[`${kind}s`].map((item) => ["id" in item ? item.id : item.name, item.config]),
  );
}
