import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { answerCustomResource, type CustomResourceRequest } from "./custom-resource.ts";
import { emptyBucket } from "./empty-bucket.ts";
import { recordApplied } from "./record-applied.ts";

const s3 = (): S3Client =>
  new S3Client({ forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });

/**
 * Behind `Custom::OrgLoopApplied`: records what was applied; that it is deleted with its stack says
 * nothing about the state.
 */
export async function appliedResource(request: CustomResourceRequest): Promise<void> {
  await answerCustomResource(request, "applied", async () => {
    if (request.RequestType === "Delete") return;
    const { ORGLOOP_TABLE: table = "", ORGLOOP_BUCKET: bucket = "" } = process.env;
    const state = { client: new DynamoDBClient(), table };
    const from = String(request.ResourceProperties.Topology);
    await recordApplied({ s3: s3(), state, bucket, now: Date.now }, from);
  });
}

/** Behind `Custom::OrgLoopBucketContents`: empties the stage's bucket when it is to be deleted. */
export async function bucketContentsResource(request: CustomResourceRequest): Promise<void> {
  await answerCustomResource(request, "contents", async () => {
    if (request.RequestType === "Delete") await emptyBucket(s3(), process.env.ORGLOOP_BUCKET ?? "");
  });
}
