import type { AwsNames, BusGrouping, StageLayout } from "@orgloop/aws/plan";
import type { Duration, RouteSpec, SourceSpec, Topology } from "@orgloop/sdk";
import type { Stack } from "aws-cdk-lib";
import type { DrainingActor } from "./draining.ts";
import type { StageInboxes } from "./inboxes.ts";

/** The functions' kinds: one file each in `functions/`. */
export type FunctionKind =
  | "poll"
  | "receive"
  | "route"
  | "deliver"
  | "history"
  | "sweep"
  | "record"
  | "empty";

/** The directory of a function's bundled code with just these packages in it. */
export type BundleLookup = (kind: FunctionKind, packages: readonly string[]) => string;

/** What is to be deployed, as plain values: reading files, AWS and packages came before. */
export interface StageInput {
  /** The workspace. */
  readonly stage: string;
  readonly topology: Topology;
  /** `topologyHash` of it. */
  readonly hash: string;
  readonly bundles: BundleLookup;
  /** How events come from a source. */
  readonly intake: (source: SourceSpec) => { readonly polled: boolean; readonly received: boolean };
  /** `connectorRepeatWindows` of its sources. */
  readonly repeatWindows?: Readonly<Record<string, Duration>>;
  /** Fixed when the stage was created. */
  readonly layout: StageLayout;
  /** The sibling stacks that there are already, e.g. `actors-3`. */
  readonly existing: ReadonlySet<string>;
  /** Actors that were removed and whose queues are not known to be empty. */
  readonly draining: readonly DrainingActor[];
  /** The routes of the Topology that was applied last: what waits in queues was matched by them. */
  readonly former: readonly RouteSpec[];
  readonly inboxes: StageInboxes;
  /** A secret's parameter is this, its name and `/value`. */
  readonly secretPrefix: string;
  /** Whether state, history and claim checks stay when the stage is removed. */
  readonly retain: boolean;
  /**
   * True where CloudFormation is an emulator's: none knows alarms on alarms, nor metric math in
   * them. Default false.
   */
  readonly plainAlarms?: boolean;
}

/** What every stack is made from. */
export interface Stage extends StageInput {
  readonly names: AwsNames;
  /** The routes that end at an actor; at one that drains, those that ended there. */
  readonly routesTo: (actor: string) => readonly RouteSpec[];
  /** How the events of each source are grouped on the bus. */
  readonly groupings: ReadonlyMap<string, BusGrouping>;
  /** Those of `former` that ended there. */
  readonly formerTo: (actor: string) => readonly RouteSpec[];
  /** A new stack, empty; the host (SST, plain CDK) decides on its environment. */
  readonly stack: StackFactory;
}

export type StackFactory = (name: string, description: string) => Stack;
