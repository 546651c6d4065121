import type { Duration, PluginLookup, SourceSpec } from "@orgloop/sdk";

/**
 * For how long the connectors of these sources say that what was sent is sent again, by connector;
 * those that do not say are not in it.
 */
export async function connectorRepeatWindows(
  sources: readonly Pick<SourceSpec, "connector">[],
  lookup: PluginLookup,
): Promise<Readonly<Record<string, Duration>>> {
  const names = [...new Set(sources.map(({ connector }) => connector))];
  const found = names.map(async (name) => {
    const plugin = await lookup(name);
    const window = plugin.kind === "connector" ? plugin.source?.repeatWindow : undefined;
    return window === undefined ? [] : [[name, window] as const];
  });
  return Object.fromEntries((await Promise.all(found)).flat());
}
