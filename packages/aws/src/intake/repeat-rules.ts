import { type RepeatPolicy, repeatPolicy } from "@orgloop/engine";
import type { Duration, Topology } from "@orgloop/sdk";
import { lifeOf, type SourceLives } from "../state/source-lives.ts";

/** What a Topology says of repeats, as the router asks it. */
export interface RepeatRules {
  readonly policyOf: (source: string) => RepeatPolicy;
  /** How often a source began anew. */
  readonly lifeOf: (source: string) => number;
}

export interface RepeatRulesOptions {
  readonly topology: Pick<Topology, "sources" | "defaults">;
  /** `connectorRepeatWindows` of its sources. Default: none of them says. */
  readonly windows?: Readonly<Record<string, Duration>> | undefined;
  /** Default: no source ever began anew. */
  readonly lives?: SourceLives | undefined;
}

/** Throws `INVALID_DURATION`. */
export function repeatRules(options: RepeatRulesOptions): RepeatRules {
  const { topology, windows = {}, lives = {} } = options;
  const { sources, defaults } = topology;
  const policies = new Map(
    sources.map((source) => [source.id, repeatPolicy(source, defaults, windows[source.connector])]),
  );
  const numbers = new Map(sources.map((source) => [source.id, lifeOf(lives, source)]));
  return {
    // Of a source that has just gone, what is still on the bus meets the defaults.
    policyOf: (id) => policies.get(id) ?? repeatPolicy({}, defaults, undefined),
    lifeOf: (id) => numbers.get(id) ?? 0,
  };
}
