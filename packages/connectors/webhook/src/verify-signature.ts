import { verify as verifyGithub } from "@octokit/webhooks-methods";
import { OrgLoopError, RefusedError, type WebhookRequest } from "@orgloop/sdk";
import { Webhook } from "standardwebhooks";

/** Which form of signature a request carried; `none` where the source has no secret. */
export type SignatureForm = "github" | "standard" | "none";

/** Throws {@link RefusedError} 401 where no secret made the signature of these exact bytes. */
export type VerifySignature = (request: WebhookRequest, body: string) => Promise<SignatureForm>;

/**
 * A check of signatures: GitHub's (`X-Hub-Signature-256`, also `X-Signature`, both `sha256=<hex>`) and Standard Webhooks'
 * (`webhook-id`, `webhook-timestamp` within 5 minutes of now, `webhook-signature` with one or more `v1,<base64>`).
 * Both libraries compare in constant time. `body` is the request's bytes, decoded without loss.
 */
export function signatureVerifier(
  secrets: readonly string[],
  only: "github" | "standard" | undefined,
): VerifySignature {
  if (secrets.length === 0) return async () => "none";
  const webhooks = only === "github" ? [] : standardWebhooks(secrets, only === "standard");
  return async (request, body) => {
    const form = only ?? ("webhook-signature" in request.headers ? "standard" : "github");
    if (form === "standard") verifyStandard(webhooks, request, body);
    else await verifyHmac(secrets, request, body);
    return form;
  };
}

function standardWebhooks(secrets: readonly string[], required: boolean): Webhook[] {
  return secrets.flatMap((secret) => {
    try {
      return [new Webhook(secret)];
    } catch (cause) {
      // Without `signature: standard` the secret may well be the free text that GitHub uses.
      if (!required && !secret.startsWith("whsec_")) return [];
      throw new OrgLoopError(
        "INVALID_CONFIG",
        "secret: expected a Standard Webhooks secret, `whsec_` and base64",
        { cause },
      );
    }
  });
}

function verifyStandard(webhooks: readonly Webhook[], request: WebhookRequest, body: string): void {
  let cause: unknown;
  for (const webhook of webhooks) {
    try {
      webhook.verify(body, request.headers, { jsonParse: false });
      return;
    } catch (error) {
      cause = error;
    }
  }
  const reason = cause instanceof Error ? cause.message : "the secret is no Standard Webhooks one";
  throw new RefusedError(401, `signature refused (Standard Webhooks): ${reason}`, { cause });
}

async function verifyHmac(
  secrets: readonly string[],
  request: WebhookRequest,
  body: string,
): Promise<void> {
  const signature = request.headers["x-hub-signature-256"] ?? request.headers["x-signature"];
  if (!signature) {
    throw new RefusedError(
      401,
      "signature missing: expected X-Hub-Signature-256, X-Signature or the webhook-* headers",
    );
  }
  // The library refuses to sign an empty body by a TypeError.
  if (body !== "") {
    for (const secret of secrets) if (await verifyGithub(secret, body, signature)) return;
  }
  throw new RefusedError(401, "signature refused: it was not made of this body with the secret");
}
