import { S3Client } from "@aws-sdk/client-s3";
import { type ObjectStore, objectStore } from "@orgloop/bus/sqs";

/** The objects of a bucket; an emulator has no host names for buckets. */
export const s3Objects = (bucket: string, forcePathStyle: boolean): ObjectStore =>
  objectStore({ s3: new S3Client({ forcePathStyle }), bucket });
