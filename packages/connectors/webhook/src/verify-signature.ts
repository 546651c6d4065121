import { createHmac, timingSafeEqual } from "node:crypto";
import { OrgLoopError, RefusedError, type WebhookRequest } from "@orgloop/sdk";

/** Which form of signature a request carried; `none` where the source has no secret. */
export type SignatureForm = "github" | "standard" | "none";

/** Throws {@link RefusedError} 401 where no secret made the signature of these exact bytes. */
export type VerifySignature = (request: WebhookRequest) => SignatureForm;

/** How far a Standard Webhooks timestamp may be from now (its specification). */
const TOLERANCE_S = 5 * 60;

/**
 * A check of signatures over the bytes as they were sent: GitHub's (`X-Hub-Signature-256`, also
 * `X-Signature`, both `sha256=<hex>`) and Standard Webhooks' (`webhook-id`, `webhook-timestamp`
 * within 5 minutes of now, `webhook-signature` with one or more `v1,<base64>`). The libraries for
 * both sign texts only, and a packed body is none. Compared in constant time.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureVerifier(
  secrets: readonly string[],
  only: "github" | "standard" | undefined,
): VerifySignature {
  if (secrets.length === 0) return () => "none";
  const keys = only === "github" ? [] : standardKeys(secrets, only === "standard");
  return (request) => {
    const form = only ?? ("webhook-signature" in request.headers ? "standard" : "github");
    if (form === "standard") verifyStandard(keys, request);
    else verifyHmac(secrets, request);
    return form;
  };
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function standardKeys(secrets: readonly string[], required: boolean): Buffer[] {
  return secrets.flatMap((secret) => {
    const text = secret.replace(/^whsec_/, "");
    if (BASE64.test(text) && text.length % 4 === 0) return [Buffer.from(text, "base64")];
    // Without `signature: standard` the secret may well be the free text that GitHub uses.
    if (!required && !secret.startsWith("whsec_")) return [];
    throw new OrgLoopError(
      "INVALID_CONFIG",
      "secret: expected a Standard Webhooks secret, `whsec_` and base64",
    );
  });
}

function verifyStandard(keys: readonly Buffer[], { headers, body }: WebhookRequest): void {
  const refused = (reason: string) =>
    new RefusedError(401, `signature refused (Standard Webhooks): ${reason}`);
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": given } = headers;
  if (!id || !time || !given) throw refused("Missing required headers");
  if (!/^\d{1,15}$/.test(time)) throw refused("Invalid Signature Headers");
  const ageS = Math.floor(Date.now() / 1000) - Number(time);
  if (ageS > TOLERANCE_S) throw refused("Message timestamp too old");
  if (ageS < -TOLERANCE_S) throw refused("Message timestamp too new");
  if (keys.length === 0) throw refused("the secret is no Standard Webhooks one");
  const signatures = given
    .split(" ")
    .flatMap((one) => (one.startsWith("v1,") ? [one.slice("v1,".length)] : []));
  for (const key of keys) {
    const made = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest("base64");
    if (signatures.some((signature) => isSame(signature, made))) return;
  }
  throw refused("No matching signature found");
}

function verifyHmac(secrets: readonly string[], { headers, body }: WebhookRequest): void {
  const signature = headers["x-hub-signature-256"] ?? headers["x-signature"];
  if (!signature) {
    throw new RefusedError(
      401,
      "signature missing: expected X-Hub-Signature-256, X-Signature or the webhook-* headers",
    );
  }
  for (const secret of secrets) {
    const made = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
    if (isSame(signature, made)) return;
  }
  throw new RefusedError(401, "signature refused: it was not made of this body with the secret");
}

function isSame(given: string, made: string): boolean {
  const bytes = Buffer.from(given);
  const expected = Buffer.from(made);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
