import { messageOf, OrgLoopError } from "@orgloop/sdk";

/** Where a command speaks to, for its messages. */
export interface AskedStage {
  readonly workspace: string;
  /** Null: none was configured. */
  readonly region: string | null;
}

const NO_CREDENTIALS = ["CredentialsProviderError"];
const REFUSED = [
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
];
const DENIED = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];
const MISSING = [
  "AWS.SimpleQueueService.NonExistentQueue",
  "NoSuchBucket",
  "QueueDoesNotExist",
  "ResourceNotFoundException",
];
const UNREACHABLE = ["ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ENOTFOUND", "ETIMEDOUT"];

/** True where AWS said that a queue, table, bucket or log group does not exist. */
export const isMissing = (error: unknown): boolean => MISSING.includes(nameOf(error));

/**
 * What went wrong with AWS as the operator has to hear it: `AWS_NO_CREDENTIALS`,
 * `AWS_CREDENTIALS_REFUSED`, `AWS_DENIED`, `AWS_NO_REGION`, `AWS_UNREACHABLE`, `NO_STAGE`, else
 * `AWS_FAILED`; errors of our own stay as they are.
 */
export function explainAwsError(error: unknown, { workspace, region }: AskedStage): unknown {
  const explained = (code: string, message: string) =>
    new OrgLoopError(code, message, { cause: error });
  const name = nameOf(error);
  const said = messageOf(error);
  if (NO_CREDENTIALS.includes(name)) {
    return explained(
      "AWS_NO_CREDENTIALS",
      `there are no AWS credentials for the workspace "${workspace}": set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with \`aws sso login\` (${said})`,
    );
  }
  if (said === "Region is missing") {
    return explained(
      "AWS_NO_REGION",
      `no region for the workspace "${workspace}": set aws.region in its file, or AWS_REGION`,
    );
  }
  if (REFUSED.includes(name)) {
    return explained("AWS_CREDENTIALS_REFUSED", `AWS refuses the credentials: ${said}`);
  }
  if (DENIED.includes(name)) {
    return explained("AWS_DENIED", `these AWS credentials may not do that: ${said}`);
  }
  if (MISSING.includes(name)) return noStage({ workspace, region }, error);
  if (UNREACHABLE.includes(codeOf(error))) {
    const endpoint = process.env.AWS_ENDPOINT_URL ?? `AWS in ${region ?? "the region"}`;
    return explained("AWS_UNREACHABLE", `${endpoint} cannot be reached: ${said || codeOf(error)}`);
  }
  return "$metadata" in Object(error) ? explained("AWS_FAILED", `AWS: ${name}: ${said}`) : error;
}

/** Nothing of that name is deployed there. */
export function noStage({ workspace, region }: AskedStage, cause?: unknown): OrgLoopError {
  return new OrgLoopError(
    "NO_STAGE",
    `the stage "${workspace}" is not deployed${region === null ? "" : ` in ${region}`} with these credentials: \`orgloop deploy -w ${workspace}\` or \`npx sst deploy --stage ${workspace}\` deploys it`,
    { cause },
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** Of the connection that failed; Node wraps several tries in one error. */
function codeOf(error: unknown): string {
  const { code, errors } = Object(error) as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === "string") return code;
  return Array.isArray(errors) ? codeOf(errors[0]) : "";
}
