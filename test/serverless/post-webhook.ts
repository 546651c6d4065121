import { createHmac, randomUUID } from "node:crypto";
import { request } from "node:http";
import { text } from "node:stream/consumers";

export interface Webhook {
  /** Of the function URL. */
  readonly url: string;
  /** Where the emulator listens: its names resolve nowhere. */
  readonly endpoint: string;
  readonly source: string;
  readonly body: object;
  /** `whsec_…`; null: unsigned. */
  readonly secret: string | null;
  /** The sender's id of the delivery. */
  readonly id?: string;
}

/** Sends a webhook, signed as Standard Webhooks says; gives the status and body of the answer. */
export async function postWebhook(webhook: Webhook): Promise<{ status: number; body: string }> {
  const { url, endpoint, source, secret, id = `msg_${randomUUID()}` } = webhook;
  // No `URL`: LocalStack's hosts end in an address, which makes them none.
  const [, host = "", base = ""] = /^https?:\/\/([^/]+)(.*\/)$/.exec(url) ?? [];
  const { hostname, port } = new URL(endpoint);
  const body = JSON.stringify(webhook.body);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from((secret ?? "").replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const headers = {
    host,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(secret === null
      ? {}
      : {
          "webhook-id": id,
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1,${signature}`,
        }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  request(
    { hostname, port, path: `${base}webhook/${source}`, method: "POST", headers },
    async (response) => {
      resolve({ status: response.statusCode ?? 0, body: await text(response) });
    },
  )
    .on("error", reject)
    .end(body);
  return promise;
}
