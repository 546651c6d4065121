/** Called by CloudFormation before it deletes the stage's bucket. */
export { bucketContentsResource as handler } from "@orgloop/aws/deploy";
