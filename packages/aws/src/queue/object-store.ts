import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { OrgLoopError } from "@orgloop/sdk";

/** Text by key, for what is too long for a message. */
export interface ObjectStore {
  put(key: string, text: string): Promise<void>;
  /** Throws `OBJECT_MISSING` where nothing has the key. */
  get(key: string): Promise<string>;
}

/** The objects of a bucket. */
export function objectStore({ s3, bucket }: { s3: S3Client; bucket: string }): ObjectStore {
  return {
    async put(key, text) {
      const ContentType = "application/json";
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType }));
    },
    async get(key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await Body?.transformToString()) ?? "";
      } catch (error) {
        if (!(error instanceof Error && error.name === "NoSuchKey")) throw error;
        throw new OrgLoopError("OBJECT_MISSING", `s3://${bucket}/${key} does not exist`, {
          cause: error,
        });
      }
    },
  };
}
