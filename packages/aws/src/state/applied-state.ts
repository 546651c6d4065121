import { OrgLoopError, parseJson, type Topology } from "@orgloop/sdk";
import { getItem, type ItemKey, type StateTable, singleKey } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

/** What was last applied in a stage. The Topology itself lies in the bucket, see `topologyKey`. */
export interface AppliedStage {
  /** Counts the deploys that changed something; the first is 1. */
  readonly serial: number;
  /** `topologyHash` of the Topology. */
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly applied_at: string;
}

export interface DynamoAppliedState {
  /** Null where nothing was applied. */
  read(): Promise<AppliedStage | null>;
  /**
   * Writes it, where the serial before it is still the one that is there. Throws `STATE_MOVED`
   * where another deploy was faster.
   */
  write(state: AppliedStage): Promise<void>;
}

export function dynamoAppliedState(state: StateTable): DynamoAppliedState {
  return {
    async read() {
      const item = await getItem(state, KEY);
      if (item === null) return null;
      const { serial, hash, applied_at } = item;
      return { serial: Number(serial), hash: String(hash), applied_at: String(applied_at) };
    },
    async write({ serial, hash, applied_at }) {
      const first = serial === 1;
      const { done, item } = await updateItem(state, KEY, {
        set: { serial, hash, applied_at },
        condition: first ? "attribute_not_exists(#serial)" : "#serial = :before",
        values: first ? {} : { before: serial - 1 },
      });
      if (done) return;
      throw new OrgLoopError(
        "STATE_MOVED",
        `serial ${serial} cannot be applied: the stage is at ${item?.serial ?? "none"}; plan anew`,
      );
    },
  };
}

const KEY: ItemKey = singleKey("stage", "applied");

/** Where the Topology of a hash lies in the stage's bucket. */
export const topologyKey = (hash: string): string => `topologies/${hash}.json`;

/** The Topology that was applied last. Rejects where none was. */
export async function appliedTopology(
  { read }: Pick<DynamoAppliedState, "read">,
  objects: { readonly get: (key: string) => Promise<string> },
): Promise<{ readonly topology: Topology; readonly hash: string }> {
  const applied = await read();
  if (applied === null) throw new OrgLoopError("NO_STAGE", "nothing was applied here yet");
  const { hash } = applied;
  return { hash, topology: parseJson(await objects.get(topologyKey(hash))) as Topology };
}
