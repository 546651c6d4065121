import { type Actor, OrgLoopError, type OrgLoopEvent, type PluginContext } from "@orgloop/sdk";
import { Webhook } from "standardwebhooks";
import type { WebhookActorConfig } from "./config.ts";
import { judgeResponse } from "./judge-response.ts";
import { bodyRenderer } from "./render-body.ts";
import { hostOf, requestSender } from "./send-request.ts";
import { urlRenderer } from "./url-template.ts";

/**
 * An actor that sends each event to a URL. Every request has Standard Webhooks' `webhook-id`, the
 * delivery's id (the event's, see `DeliveryContext`), so that the receiver can drop what it has
 * seen; with a `secret` it is signed. A replay carries `OrgLoop-Replay: N`: it is meant to be done
 * again. `OrgLoop-Trace` is for what the receiver itself sends to a webhook of ours in turn.
 */
export function webhookActor(
  config: WebhookActorConfig,
  { now, lookup, mask }: Pick<PluginContext, "now" | "lookup" | "mask">,
): Actor {
  const { method } = config;
  const baseHeaders = headersOf(config);
  const json = /[/+]json\b/.test(baseHeaders.get("content-type") ?? "");
  const render = bodyRenderer(config.body_template, json);
  const renderUrl = urlRenderer(config.url);
  const signers = [config.secret ?? []].flat().map(signer);
  const sender = requestSender(lookup);
  return {
    async deliver(event, context) {
      const values = { event, ...context };
      const url = renderUrl(values);
      const body = render(values);
      const headers = new Headers(baseHeaders);
      identify(headers, signers, context.deliveryId ?? event.id, body, now());
      headers.set("orgloop-trace", `${event.trace_id};hops=${hopsOf(event) + 1}`);
      if (context.replay > 0) headers.set("orgloop-replay", String(context.replay));
      const response = await sender.send({ url, method, headers, body, signal: context.signal });
      // Before it is part of a message: it was cut somewhere, perhaps within a secret that the
      // actor echoes.
      const excerpt = mask(response.excerpt);
      judgeResponse({ ...response, excerpt }, `${method} ${hostOf(url)}`, now());
      return { status: "delivered" };
    },
    close: async () => sender.close(),
  };
}

/** How many deliveries led to an event: 0 where it says nothing. */
function hopsOf({ provenance: { hops } }: OrgLoopEvent): number {
  return typeof hops === "number" && Number.isSafeInteger(hops) && hops > 0 ? hops : 0;
}

function headersOf({ headers, auth }: WebhookActorConfig): Headers {
  const result = new Headers({ "content-type": "application/json", "user-agent": "OrgLoop" });
  try {
    for (const [name, value] of Object.entries(headers)) result.set(name, String(value));
    if (auth?.type === "bearer") result.set("authorization", `Bearer ${auth.token}`);
  } catch {
    // Without the cause: its message quotes the value, which may be a secret.
    throw new OrgLoopError("INVALID_CONFIG", "headers or auth: a name or value is not a header's");
  }
  if (auth?.type === "basic") {
    const credentials = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    result.set("authorization", `Basic ${credentials}`);
  }
  return result;
}

function signer(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CONFIG",
      "secret: expected a Standard Webhooks secret, `whsec_` and base64",
      { cause },
    );
  }
}

/**
 * Standard Webhooks' headers: the id, by which a receiver drops what it has seen, and the time
 * always; a signature of each secret.
 */
function identify(
  headers: Headers,
  signers: readonly Webhook[],
  id: string,
  body: string,
  nowMs: number,
): void {
  const at = new Date(nowMs);
  headers.set("webhook-id", id);
  headers.set("webhook-timestamp", String(Math.floor(nowMs / 1000)));
  if (signers.length === 0) return;
  headers.set("webhook-signature", signers.map((one) => one.sign(id, at, body)).join(" "));
}
