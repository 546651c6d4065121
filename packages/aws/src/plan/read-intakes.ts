import type { PluginLookup, Topology } from "@orgloop/sdk";
import type { Intake } from "./stage-size.ts";

/**
 * How events come from the sources of a Topology, by what their connectors declare. Rejects where
 * one cannot be loaded.
 */
export async function readIntakes(
  { sources }: Pick<Topology, "sources">,
  lookup: PluginLookup,
): Promise<Intake> {
  const names = [...new Set(sources.map(({ connector }) => connector))];
  const found = names.map(async (name) => {
    const plugin = await lookup(name);
    return [name, plugin.kind === "connector" ? plugin.source?.intake : undefined] as const;
  });
  const intakes = new Map(await Promise.all(found));
  return ({ connector, config, poll }) => {
    const declared = intakes.get(connector) ?? ["poll"];
    const intake = typeof declared === "function" ? declared(config) : declared;
    const received = intake.includes("receive");
    // As in a process: what also takes webhooks is polled only where an interval is set.
    return { received, polled: intake.includes("poll") && (!received || poll !== undefined) };
  };
}
