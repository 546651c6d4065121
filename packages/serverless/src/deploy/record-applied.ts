import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { OrgLoopError, type Topology } from "@orgloop/sdk";
import { dynamoAppliedState, type StateTable, topologyKey } from "@orgloop/stores/dynamodb";
import { DRAINING_KEY, type DrainingActors } from "./draining.ts";

export interface RecordApplied {
  readonly s3: S3Client;
  readonly state: StateTable;
  /** The stage's bucket. */
  readonly bucket: string;
  readonly now: () => number;
}

/** What a deploy hands over: where CloudFormation's assets hold the Topology. */
export interface AppliedDocument {
  readonly topology: Topology;
  readonly hash: string;
  readonly draining: DrainingActors;
}

/**
 * Records what a deploy has applied: the Topology under its hash, the actors that drain, then serial and hash. The same deploy recorded
 * twice counts once.
 */
export async function recordApplied(
  { s3, state, bucket, now }: RecordApplied,
  from: { readonly bucket: string; readonly key: string },
): Promise<void> {
  const found = await s3.send(new GetObjectCommand({ Bucket: from.bucket, Key: from.key }));
  const text = await found.Body?.transformToString();
  if (text === undefined) {
    throw new OrgLoopError("INVALID_STATE", `s3://${from.bucket}/${from.key} is empty`);
  }
  const { topology, hash, draining } = JSON.parse(text) as AppliedDocument;
  const put = (key: string, value: unknown) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify(value) }));
  await put(topologyKey(hash), topology);
  await put(DRAINING_KEY, draining);
  const applied = dynamoAppliedState(state);
  const before = await applied.read();
  if (before?.hash === hash) return;
  const applied_at = new Date(now()).toISOString();
  await applied.write({ serial: (before?.serial ?? 0) + 1, hash, applied_at });
}
