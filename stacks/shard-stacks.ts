import { type StagePart, shardOf, stacksOf, usedShards } from "@orgloop/aws/plan";
import { CfnWaitConditionHandle, type Stack } from "aws-cdk-lib";
import type { Stage } from "./stage.ts";

export interface ShardStacks {
  readonly stacks: readonly Stack[];
  /** The stack of one of the keys. */
  of(key: string): Stack;
}

/**
 * The sibling stacks of a part of the stage, each key in that of its hash. Those without a key are
 * left out, but for those that exist: they are emptied, since a stack that is not named again stays
 * as it was.
 */
export function shardStacks(
  stage: Stage,
  part: StagePart,
  text: string,
  keys: readonly string[],
): ShardStacks {
  const count = stacksOf(stage.layout, part);
  const used = usedShards(keys, count);
  const made = new Map<number, Stack>();
  for (let at = 0; at < count; at++) {
    const name = `${part}-${at}`;
    if (!used.has(at) && !stage.existing.has(name)) continue;
    const stack = stage.stack(name, `OrgLoop: ${text}, part ${at + 1}`);
    // A stack needs a resource, also after its last.
    new CfnWaitConditionHandle(stack, "Shard");
    made.set(at, stack);
  }
  return {
    stacks: [...made.values()],
    of(key) {
      const stack = made.get(shardOf(key, count));
      if (stack === undefined) throw new Error(`no stack of ${part} was made for ${key}`);
      return stack;
    },
  };
}
