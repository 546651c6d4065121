import type { LoadedProject, Owner, PlanChange } from "@orgloop/config";

/** Changes that belong together: of the project itself, of a team, of one instance of a module. */
export interface PlanGroup {
  /** e.g. `team platform, module platform/standard (team-standard, teams/platform/team.yaml:9)`. */
  readonly heading: string;
  readonly changes: readonly PlanChange[];
}

/** The key of a group: sorts by team, then instance; either may be "". */
const place = (team: string, instance: string) => `${team}\0${instance}`;

/**
 * The project's own changes first, then team by team; in each, what is written by hand before what
 * modules bring. What is no more is placed by its name.
 */
export function planGroups(
  changes: readonly PlanChange[],
  { provenance, instances, topology }: Pick<LoadedProject, "provenance" | "instances" | "topology">,
): PlanGroup[] {
  const byName = new Map(instances.map((instance) => [instance.name, instance]));
  /** Of those that own what changes: a few, of thousands of changes. */
  const places = new Map<Owner, string>();
  const placeOf = ({ kind, name }: PlanChange): string => {
    if (kind === "bus" || kind === "workspace") return place("", "");
    const owner = provenance.ownerOf(kind, name);
    if (owner) {
      const known = places.get(owner) ?? place(owner.team ?? "", owner.instance ?? "");
      places.set(owner, known);
      return known;
    }
    const [team = ""] = /^[^/]+(?=\/)/.exec(name) ?? [];
    for (let at = name.length; at > 0; at = name.lastIndexOf("-", at - 1)) {
      if (byName.has(name.slice(0, at))) return place(team, name.slice(0, at));
    }
    return place(team, "");
  };
  const groups = Map.groupBy(changes, placeOf);
  return [...groups]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, members]) => {
      const [team = "", name = ""] = key.split("\0");
      const instance = byName.get(name);
      const of = team === "" ? `project ${topology?.project ?? ""}`.trimEnd() : `team ${team}`;
      const module =
        instance === undefined
          ? ""
          : `, module ${name} (${instance.module.name}, ${instance.use.file}:${instance.use.line})`;
      return { heading: `${of}${module}`, changes: members };
    });
}
