import {
  type CloudWatchLogsClient,
  paginateDescribeLogGroups,
} from "@aws-sdk/client-cloudwatch-logs";
import type { Topology } from "@orgloop/sdk";
import type { AwsNames } from "../plan/aws-names.ts";
import { awaitedActors, awaitedDeliverer, delivererGroups } from "../plan/groups.ts";

/** What is asked for, as far as it says which functions can have logged it. */
export interface Concern {
  readonly source?: string;
  readonly route?: string;
  /** A phase, or its first part. */
  readonly phase?: string;
}

type Kind = "poll" | "receive" | "route" | "deliver";

/** Which functions log phases that begin so; those of other beginnings are logged by several. */
const LOGGED_BY: Readonly<Record<string, readonly Kind[]>> = {
  source: ["poll", "receive"],
  route: ["route"],
  transform: ["route"],
  deliver: ["deliver", "route"],
  circuit: ["deliver"],
  rate: ["deliver"],
};

/**
 * Log groups of the functions that exist: names end as `awsNames` has them, so that no other
 * stage's are among them.
 */
export async function logGroupsOf(
  client: CloudWatchLogsClient,
  names: AwsNames,
  topology: Topology,
  concern: Concern,
): Promise<readonly string[]> {
  const wanted = wantedGroups(names, topology, concern);
  const query = { logGroupNamePrefix: names.logGroup(names.prefix) };
  const found: string[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, query)) {
    for (const { logGroupName = "" } of logGroups) {
      if (wanted(logGroupName)) found.push(logGroupName);
    }
  }
  return found;
}

function wantedGroups(
  names: AwsNames,
  topology: Topology,
  { source, route, phase }: Concern,
): (group: string) => boolean {
  const byPhase = LOGGED_BY[phase?.split(".")[0] ?? ""];
  const kinds = new Set<Kind>(byPhase ?? ["poll", "receive", "route", "deliver"]);
  if (route !== undefined) {
    kinds.delete("poll");
    kinds.delete("receive");
  }
  const deliverers = deliverersOf(names, topology, { source, route });
  const prefix = names.logGroup(names.prefix);
  return (group) => {
    if (group === names.logGroup(names.router)) return kinds.has("route");
    if (group === names.logGroup(names.receiver)) return kinds.has("receive");
    if (group === names.logGroup(names.sweeper)) return kinds.has("deliver");
    const kind = /^(deliver|poll)-.*[0-9a-f]{8}$/.exec(group.slice(prefix.length))?.[1];
    if (kind === "poll") return kinds.has("poll");
    return kind === "deliver" && kinds.has("deliver") && (deliverers?.has(group) ?? true);
  };
}

/**
 * The deliver functions of a route, or of a source's routes; null: all, also those of actors that
 * were removed.
 */
function deliverersOf(
  names: AwsNames,
  topology: Topology,
  { source, route }: { source: string | undefined; route: string | undefined },
): ReadonlySet<string> | null {
  if (source === undefined && route === undefined) return null;
  const actors = new Set(
    topology.routes
      .filter(
        ({ name, when }) =>
          (route === undefined || name === route) &&
          (source === undefined || when.source.includes(source)),
      )
      .map(({ then }) => then.actor),
  );
  const groups = delivererGroups(topology, topology.actors).filter(({ items }) =>
    items.some(({ id }) => actors.has(id)),
  );
  const awaited = awaitedActors(topology, topology.actors).filter((id) => actors.has(id));
  const keys = [
    ...groups.map(({ key }) => key),
    ...awaited.map((id) => awaitedDeliverer(topology, id)),
  ];
  return new Set(keys.map((key) => names.logGroup(names.deliverer(key))));
}
