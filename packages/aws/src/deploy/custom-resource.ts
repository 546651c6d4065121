import { messageOf } from "@orgloop/sdk";

/**
 * What CloudFormation sends to the function behind a custom resource (AWS, Custom resource request
 * objects).
 */
export interface CustomResourceRequest {
  readonly RequestType: "Create" | "Update" | "Delete";
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Readonly<Record<string, unknown>>;
}

/**
 * Does the work and tells CloudFormation how it went: without an answer a deploy waits an hour.
 * `id` stays the same over updates, since another id would mean that the old resource is to be
 * deleted.
 */
export async function answerCustomResource(
  request: CustomResourceRequest,
  id: string,
  work: () => Promise<void>,
): Promise<void> {
  const outcome = await work().then(
    () => ({ Status: "SUCCESS" }),
    (error: unknown) => {
      console.error(error);
      return { Status: "FAILED", Reason: messageOf(error).slice(0, 1000) };
    },
  );
  const { StackId, RequestId, LogicalResourceId } = request;
  const body = { ...outcome, PhysicalResourceId: id, StackId, RequestId, LogicalResourceId };
  const response = await fetch(request.ResponseURL, {
    method: "PUT",
    // The address is signed for an empty content type.
    headers: { "content-type": "" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`CloudFormation answered ${response.status}`);
}
