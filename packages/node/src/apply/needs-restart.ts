import { isDeepStrictEqual } from "node:util";
import { OrgLoopError, type Topology } from "@orgloop/sdk";
import type { PreparedTopology } from "./prepare-topology.ts";

/** What a process is built on, with its name in the configuration. */
const FOUNDATIONS: readonly (readonly [name: string, (topology: Topology) => unknown])[] = [
  ["metadata.name", ({ project }) => project],
  ["the workspace", ({ workspace }) => workspace],
  ["bus", ({ bus }) => bus],
  ["defaults.data_dir", ({ defaults }) => defaults.data_dir],
  ["defaults.checkpoint", ({ defaults }) => defaults.checkpoint],
  ["defaults.wal", ({ defaults }) => defaults.wal],
];

/**
 * Why `to` cannot replace `from` while the process runs (`RESTART_NEEDED`), or null. References
 * count as they resolve.
 */
export function needsRestart(
  from: Pick<PreparedTopology, "resolved">,
  to: Pick<PreparedTopology, "resolved">,
): OrgLoopError | null {
  const changed = FOUNDATIONS.filter(
    ([, of]) => !isDeepStrictEqual(of(from.resolved), of(to.resolved)),
  ).map(([name]) => name);
  if (changed.length === 0) return null;
  const what = `${changed.join(", ")} ${changed.length === 1 ? "changes" : "change"}`;
  return new OrgLoopError(
    "RESTART_NEEDED",
    `${what}, and a running process cannot change that: stop it and start it again (\`orgloop stop\`, \`orgloop start\`)`,
  );
}
