import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@orgloop/aws/plan";
import { App, Stage as CdkStage } from "aws-cdk-lib";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { Construct } from "constructs";
import { objectArn } from "../arns.ts";

/** Bytes of a function's environment that its spec may take: Lambda has 4 KB for all of it. */
const INLINE_BYTES = 2048;

export interface SpecValue {
  /** The JSON, or `s3://BUCKET/KEY` of it. */
  readonly value: string;
  readonly objectArn?: string;
}

/**
 * `ORGLOOP_SPEC`: what does not fit into the environment becomes an asset, whose key is the hash of
 * its content.
 */
export function specValue(scope: Construct, id: string, spec: unknown): SpecValue {
  const text = JSON.stringify(spec);
  if (Buffer.byteLength(text) <= INLINE_BYTES) return { value: text };
  const { bucket, key } = jsonAsset(scope, id, text);
  return { value: `s3://${bucket}/${key}`, objectArn: objectArn(bucket, key) };
}

/** A JSON text where CloudFormation's assets are. */
export function jsonAsset(scope: Construct, id: string, text: string) {
  const outdir = (CdkStage.of(scope) ?? App.of(scope))?.outdir ?? ".";
  const directory = join(outdir, "specs");
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${sha256(text)}.json`);
  writeFileSync(path, text);
  const asset = new Asset(scope, id, { path });
  return { bucket: asset.s3BucketName, key: asset.s3ObjectKey };
}
