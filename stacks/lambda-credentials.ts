/**
 * Stands for `@aws-sdk/credential-provider-node` in functions: Lambda gives credentials in the environment, and the SDK's search through
 * files, SSO and metadata services would be a third of a bundle.
 */
export const defaultProvider = () => async () => ({
  accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? "",
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? "",
  ...(process.env.AWS_SESSION_TOKEN ? { sessionToken: process.env.AWS_SESSION_TOKEN } : {}),
});
