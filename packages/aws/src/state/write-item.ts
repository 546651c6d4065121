import {
  DeleteItemCommand,
  type DeleteItemCommandInput,
  type Update,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import {
  type Item,
  type ItemKey,
  itemInTheWay,
  type StateTable,
  toAttributes,
} from "./state-table.ts";

/** A change of one item, which is made where there is none. */
export interface ItemChange {
  readonly set?: Item;
  /** Set only where the attribute is not there. */
  readonly setOnce?: Item;
  /** To a number, or to a set. */
  readonly add?: Readonly<Record<string, number | ReadonlySet<string>>>;
  readonly remove?: readonly string[];
  /** Over `#name`s and `:value`s: each attribute named in the change or in `names` may be used. */
  readonly condition?: string;
  /** Attributes that only the condition names. */
  readonly names?: readonly string[];
  /** Values that only the condition uses, without the colon. */
  readonly values?: Item;
}

export type Written =
  | { readonly done: true; readonly item: Item }
  /** The condition did not hold for `item`; null: there is none. */
  | { readonly done: false; readonly item: Item | null };

/**
 * Changes an item atomically; `item` is how it stands after it, or what stood in the condition's
 * way.
 */
export async function updateItem(
  { client, table }: StateTable,
  key: ItemKey,
  change: ItemChange,
): Promise<Written> {
  const input: UpdateItemCommandInput = {
    TableName: table,
    Key: toAttributes({ ...key }),
    ...updateInput(change),
    ReturnValues: "ALL_NEW",
  };
  return attempt(async () => {
    const { Attributes = {} } = await client.send(new UpdateItemCommand(input));
    return unmarshall(Attributes);
  });
}

/** Deletes an item; where `values` are given, only while its attributes have these. */
export async function deleteItem(
  { client, table }: StateTable,
  key: ItemKey,
  values: Item = {},
): Promise<void> {
  const names = Object.keys(values);
  const input: DeleteItemCommandInput = { TableName: table, Key: toAttributes({ ...key }) };
  if (names.length > 0) {
    input.ConditionExpression = names.map((name) => `#${name} = :${name}`).join(" AND ");
    input.ExpressionAttributeNames = Object.fromEntries(names.map((name) => [`#${name}`, name]));
    input.ExpressionAttributeValues = toAttributes(
      Object.fromEntries(names.map((name) => [`:${name}`, values[name]])),
    );
  }
  try {
    await client.send(new DeleteItemCommand(input));
  } catch (error) {
    if (itemInTheWay(error) === undefined) throw error;
  }
}

async function attempt(write: () => Promise<Item>): Promise<Written> {
  try {
    return { done: true, item: await write() };
  } catch (error) {
    const item = itemInTheWay(error);
    if (item === undefined) throw error;
    return { done: false, item };
  }
}

/** The update of a change, for one item or in a transaction. */
export function updateInput({
  set = {},
  setOnce = {},
  add = {},
  remove = [],
  condition,
  names = [],
  values = {},
}: ItemChange): Omit<Update, "TableName" | "Key"> {
  const assigned = [
    ...keysOf(set).map((name) => `#${name} = :${name}`),
    ...keysOf(setOnce).map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
  ];
  const clauses = [
    assigned.length > 0 && `SET ${assigned.join(", ")}`,
    keysOf(add).length > 0 &&
      `ADD ${keysOf(add)
        .map((name) => `#${name} :${name}`)
        .join(", ")}`,
    remove.length > 0 && `REMOVE ${remove.map((name) => `#${name}`).join(", ")}`,
  ];
  const named = [...keysOf(set), ...keysOf(setOnce), ...keysOf(add), ...remove, ...names];
  const valued = Object.entries({ ...set, ...setOnce, ...add, ...values });
  return {
    UpdateExpression: clauses.filter(Boolean).join(" "),
    ExpressionAttributeNames: Object.fromEntries(named.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: toAttributes(
      Object.fromEntries(valued.map(([name, value]) => [`:${name}`, value])),
    ),
    ...(condition !== undefined && {
      ConditionExpression: condition,
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    }),
  };
}

/** Names of what has a value. */
const keysOf = (values: Item): string[] =>
  Object.keys(values).filter((name) => values[name] !== undefined);
