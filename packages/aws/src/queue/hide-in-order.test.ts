import { expect, it } from "vitest";
import { hideInOrder } from "./hide-in-order.ts";
import { batchQueue } from "./refusing-queue-fixture.ts";

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

/** A queue that fails the handles in `codes`. */
async function queue(codes: Readonly<Record<string, string>> = {}) {
  const { calls, sqs, url } = await batchQueue(({ ReceiptHandle }: Entry) => {
    const Code = codes[ReceiptHandle];
    return Code === undefined ? null : { Code, SenderFault: true, Message: "as told" };
  });
  return { calls, options: { sqs, queueUrl: url } };
}

it("the last is hidden first and the head last, for the same time", async () => {
  const { calls, options } = await queue();
  const handles = Array.from({ length: 23 }, (_, n) => `handle-${n}`);
  await hideInOrder(options, handles, 1.5);
  expect(calls.map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(calls.flat().map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(handles.toReversed());
  expect(new Set(calls.flat().map(({ VisibilityTimeout }) => VisibilityTimeout))).toEqual(
    new Set([2]),
  );
});

it("what is no longer in flight is left alone; anything else that is refused is told", async () => {
  const gone = await queue({ a: "MessageNotInflight", b: "ReceiptHandleIsInvalid" });
  await hideInOrder(gone.options, ["a", "b", "c"], 1);
  const denied = await queue({ b: "AccessDenied" });
  await expect(hideInOrder(denied.options, ["a", "b"], 1)).rejects.toMatchObject({
    code: "NOT_HIDDEN",
    message: "SQS: AccessDenied: as told",
  });
});
