import {
  type Actor,
  OrgLoopError,
  type OrgLoopEvent,
  PermanentError,
  type PluginContext,
  RetryAfterError,
} from "@orgloop/sdk";
import { Webhook } from "standardwebhooks";
import type { WebhookActorConfig } from "./config.ts";
import { bodyRenderer, urlRenderer } from "./render-request.ts";
import { hostOf, type IncomingResponse, isSuccess, requestSender } from "./send-request.ts";

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
  const json = /[/+]json\b/.test(baseHeaders["content-type"] ?? "");
  const render = bodyRenderer(config.body_template, json);
  const renderUrl = urlRenderer(config.url);
  const signers = [config.secret ?? []].flat().map(signer);
  const sender = requestSender(lookup);
  return {
    async deliver(event, context) {
      const values = { event, ...context };
      const url = renderUrl(values);
      const body = render(values);
      const headers = {
        ...baseHeaders,
        ...identification(signers, context.deliveryId ?? event.id, body, now()),
        "orgloop-trace": `${event.trace_id};hops=${hopsOf(event) + 1}`,
        ...(context.replay > 0 && { "orgloop-replay": String(context.replay) }),
      };
      const response = await sender.send({ url, method, headers, body, signal: context.signal });
      if (isSuccess(response.status)) return { status: "delivered" };
      // Before it is part of a message: it was cut somewhere, perhaps within a secret that the
      // actor echoes.
      const excerpt = mask(response.excerpt);
      throw failureOf({ ...response, excerpt }, `${method} ${hostOf(url)}`, now());
    },
    close: async () => sender.close(),
  };
}

/** How many deliveries led to an event: 0 where it says nothing. */
function hopsOf({ provenance: { hops } }: OrgLoopEvent): number {
  return typeof hops === "number" && Number.isSafeInteger(hops) && hops > 0 ? hops : 0;
}

/** By their names in lower case. */
function headersOf({ headers, auth }: WebhookActorConfig): Record<string, string> {
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
  return Object.fromEntries(result);
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
function identification(
  signers: readonly Webhook[],
  id: string,
  body: string,
  nowMs: number,
): Record<string, string> {
  const headers = {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(nowMs / 1000)),
  };
  if (signers.length === 0) return headers;
  const at = new Date(nowMs);
  const signature = signers.map((one) => one.sign(id, at, body)).join(" ");
  return { ...headers, "webhook-signature": signature };
}

const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

/**
 * What an answer other than 2xx means: 408, 425, 429 and 5xx are tried again (with Retry-After: not
 * before), 410 is gone, other 4xx are permanent, and a redirect is a failure: what it leads to was
 * not what the configuration named.
 */
function failureOf(response: IncomingResponse, from: string, nowMs: number): OrgLoopError {
  const { status } = response;
  const excerpt = response.excerpt && `: ${response.excerpt}`;
  const message = `${from} answered ${status}${excerpt}`;
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const retryAfterMs = parseRetryAfter(response.headers, nowMs);
    if (retryAfterMs !== undefined) return new RetryAfterError(message, retryAfterMs);
    return new OrgLoopError("ACTOR_FAILED", message);
  }
  if (status >= 400) return new PermanentError(message, { gone: status === 410 });
  return new OrgLoopError("ACTOR_FAILED", `${message} (redirects are not followed)`);
}

/**
 * Milliseconds to wait: the header holds seconds or an HTTP date (RFC 9110, 10.2.3), which is
 * reckoned by the clock of the one who answered, told by its `Date`; without one, by ours.
 * Undefined where it holds neither.
 */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  // Whoever asks for more than a century is told to wait a century.
  if (/^\d+$/.test(text)) return Math.min(Number(text), 3e9) * 1000;
  const atMs = parseHttpDate(text);
  if (atMs === undefined) return undefined;
  return Math.max(0, atMs - (parseHttpDate(headers.get("date") ?? "") ?? nowMs));
}

function parseHttpDate(text: string): number | undefined {
  if (!HTTP_DATE.test(text)) return undefined;
  // The oldest of the three forms (asctime) names no zone: it is GMT, too (RFC 9110, 5.6.7).
  const atMs = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : atMs;
}
