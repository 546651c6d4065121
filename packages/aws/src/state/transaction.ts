import { type TransactWriteItem, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import type { StateTable } from "./state-table.ts";

/** An item of a transaction without the table's name: the table is one. */
export type TransactedWrite = {
  [Kind in keyof TransactWriteItem]?: Omit<NonNullable<TransactWriteItem[Kind]>, "TableName">;
};

/**
 * `done`, or for each write whether its condition held. Where none is false others were in the way:
 * to be tried again.
 */
export type Transacted =
  | { readonly done: true }
  | { readonly done: false; readonly held: readonly boolean[] };

/** Why a transaction may have been cancelled that can be tried again (AWS, TransactWriteItems). */
const PASSING = [
  "None",
  "ConditionalCheckFailed",
  "TransactionConflict",
  "ThrottlingError",
  "ProvisionedThroughputExceeded",
];

/** Writes all or nothing: 100 items and 4 MB at most. */
export async function transact(
  { client, table: TableName }: StateTable,
  writes: readonly TransactedWrite[],
): Promise<Transacted> {
  const TransactItems = writes.map(
    (write) =>
      Object.fromEntries(
        Object.entries(write).map(([kind, one]) => [kind, { ...one, TableName }]),
      ) as TransactWriteItem,
  );
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems }));
    return { done: true };
  } catch (error) {
    const codes = cancelledBy(error);
    if (codes === null || codes.some((code) => !PASSING.includes(code))) throw error;
    return { done: false, held: codes.map((code) => code !== "ConditionalCheckFailed") };
  }
}

function cancelledBy(error: unknown): readonly string[] | null {
  if (!(error instanceof Error) || error.name !== "TransactionCanceledException") return null;
  const { CancellationReasons } = error as {
    CancellationReasons?: readonly { readonly Code?: string }[];
  };
  return CancellationReasons?.map(({ Code = "None" }) => Code) ?? null;
}
