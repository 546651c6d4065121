import type { Stack } from "aws-cdk-lib";
import { Asset } from "aws-cdk-lib/aws-s3-assets";

const ofStack = new WeakMap<Stack, Map<string, Asset>>();

/** Where a directory of code lies for CloudFormation; one asset a stack and directory. */
export function codeOf(
  stack: Stack,
  directory: string,
): { readonly s3Bucket: string; readonly s3Key: string } {
  const known = ofStack.get(stack) ?? new Map<string, Asset>();
  ofStack.set(stack, known);
  const asset =
    known.get(directory) ??
    new Asset(stack, `Code${known.size}`, { path: directory, exclude: ["*.map"] });
  known.set(directory, asset);
  return { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
}
