/** Called by CloudFormation at the end of a deploy. */
export { appliedResource as handler } from "@orgloop/aws/deploy";
