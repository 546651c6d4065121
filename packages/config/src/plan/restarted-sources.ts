import type { Topology } from "@orgloop/sdk";

/**
 * Ids of the sources whose checkpoint goes where `to` replaces `from`: those that `to` no longer
 * has, and those that another connector takes over, which could make nothing of it. Should one come
 * back it starts anew. In the order of `from`.
 */
export function restartedSources(from: Topology, to: Topology): readonly string[] {
  const connectors = new Map(to.sources.map(({ id, connector }) => [id, connector]));
  return from.sources
    .filter(({ id, connector }) => connectors.get(id) !== connector)
    .map(({ id }) => id);
}
