import { DeleteObjectsCommand, paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";
import { OrgLoopError } from "@orgloop/sdk";

/** Deletes every object of a bucket. Throws `BUCKET_NOT_EMPTIED` where S3 refuses to delete one. */
export async function emptyBucket(client: S3Client, bucket: string): Promise<void> {
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    if (Objects.length === 0) continue;
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    );
    const [first] = Errors;
    if (first !== undefined) {
      throw new OrgLoopError(
        "BUCKET_NOT_EMPTIED",
        `${first.Key} in ${bucket} cannot be deleted: ${first.Message}`,
      );
    }
  }
}
