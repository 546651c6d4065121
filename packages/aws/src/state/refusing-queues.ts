import { createHash } from "node:crypto";
import { getItem, type Item, type StateTable, singleKey } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

/** A queue that has refused deliveries which wait, as dead letters, until it takes them. */
export interface RefusingQueue {
  /** Events that it has refused, of those that were tried. */
  readonly refused: number;
  /** Message groups, hashed, of which something waits; of all, where it has refused many. */
  readonly groups: ReadonlySet<string>;
  /** Changes whenever something more waits. */
  readonly parked: number;
}

/** What happened: deliveries were parked, as many of them tried and refused. */
export interface Parking {
  readonly refused: number;
  readonly parked: number;
  readonly groups: readonly string[];
}

/** The queues of a stage that refuse, by their actors. */
export interface RefusingQueues {
  /** As of now. */
  load(): Promise<ReadonlyMap<string, RefusingQueue>>;
  park(actor: string, parking: Parking): Promise<void>;
  /** Nothing waits for it any more. False: something has been parked since `seen`. */
  heal(actor: string, seen: RefusingQueue): Promise<boolean>;
}

/** From then on nothing is sent to a queue but what was parked first. */
const MARKED_AT = 3;

/** Whether a delivery goes to the dead letters untried: what waits must not be overtaken. */
export function parksAtOnce(queue: RefusingQueue | undefined, group: string): boolean {
  if (queue === undefined) return false;
  return queue.refused >= MARKED_AT || queue.groups.has(hashOfGroup(group));
}

/** One item of the stage, empty while all is well: each router reads it with each batch. */
export function dynamoRefusingQueues(state: StateTable): RefusingQueues {
  return {
    async load() {
      return queuesOf((await getItem(state, KEY)) ?? {});
    },
    async park(actor, { refused, parked, groups }) {
      const { id, tried, waiting, of } = attributesOf(actor);
      await updateItem(state, KEY, {
        set: { [id]: actor },
        add: {
          [tried]: refused,
          [waiting]: parked,
          ...(groups.length > 0 && { [of]: new Set(groups.map(hashOfGroup)) }),
        },
      });
    },
    async heal(actor, { parked }) {
      const { id, tried, waiting, of } = attributesOf(actor);
      const { done } = await updateItem(state, KEY, {
        remove: [id, tried, waiting, of],
        condition: `#${waiting} = :parked`,
        values: { parked },
      });
      return done;
    },
  };
}

const KEY = singleKey("stage", "refusing");

const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** A message group in 16 characters. */
export const hashOfGroup = hash;

/** An actor's attributes in the one item; attributes have names of letters and digits. */
function attributesOf(actor: string) {
  const name = hash(actor);
  return { id: `a${name}`, tried: `t${name}`, waiting: `n${name}`, of: `g${name}` };
}

function queuesOf(item: Item): ReadonlyMap<string, RefusingQueue> {
  const actors = Object.entries(item).filter(([name]) => /^a[0-9a-f]{16}$/.test(name));
  return new Map(
    actors.map(([, actor]) => {
      const { tried, waiting, of } = attributesOf(String(actor));
      const groups = item[of] instanceof Set ? (item[of] as Set<string>) : new Set<string>();
      return [
        String(actor),
        { refused: Number(item[tried] ?? 0), parked: Number(item[waiting] ?? 0), groups },
      ];
    }),
  );
}
