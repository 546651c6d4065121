import type { Topology } from "@orgloop/sdk";
import { pollerGroups } from "./groups.ts";

/**
 * In how many sibling stacks the parts of a stage lie. An item's stack is a hash modulo this
 * number, and CloudFormation cannot move a named thing from stack to stack: so it is decided once,
 * when the stage is created.
 */
export interface StageLayout {
  readonly actors: number;
  readonly pollers: number;
  readonly sources: number;
  /** Absent in a stage that was created before there were such stacks: `ALARM_STACKS`. */
  readonly alarms?: number;
}

/** Of every stage, also of those that are there already. */
export const ALARM_STACKS = 20;

/** The parts that lie in sibling stacks. */
export type StagePart = keyof StageLayout;

/** In how many stacks a part of a stage lies. */
export const stacksOf = (layout: StageLayout, part: StagePart): number =>
  layout[part] ?? ALARM_STACKS;

/**
 * CloudFormation's limit is 500 resources a stack; the rest is for what belongs to a whole stack.
 */
export const MAX_RESOURCES = 480;

/**
 * Of a stage that is created as large as it is: a stack is filled to about half, since hashes are
 * uneven and organisations grow.
 */
const ACTORS_A_STACK = 36;
const POLLERS_A_STACK = 60;
const SOURCES_A_STACK = 230;
/** An actor has three alarms. */
const ALARMED_A_STACK = 80;

/**
 * Of every stage: one that is created with three actors grows to 500, with 2,000 sources, by plain
 * deploys. Those of its stacks that nothing lies in are not made.
 */
const MIN_STACKS: StageLayout = { actors: 14, pollers: 2, sources: 9 };

/** The layout of a new stage. */
export function newLayout(topology: Topology): StageLayout {
  const stacks = (count: number, each: number, fewest: number) =>
    Math.max(fewest, Math.ceil(count / each));
  return {
    actors: stacks(topology.actors.length, ACTORS_A_STACK, MIN_STACKS.actors),
    pollers: stacks(
      pollerGroups(topology, topology.sources).length,
      POLLERS_A_STACK,
      MIN_STACKS.pollers,
    ),
    sources: stacks(topology.sources.length, SOURCES_A_STACK, MIN_STACKS.sources),
    alarms: stacks(topology.actors.length, ALARMED_A_STACK, ALARM_STACKS),
  };
}
