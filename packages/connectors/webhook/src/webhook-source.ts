import {
  decodeUtf8,
  type EventDraft,
  hasCode,
  isDeeperThan,
  isMapping,
  MAX_DEPTH,
  parseJson,
  plainValue,
  RefusedError,
  type Source,
  valueAtPath,
  type WebhookRequest,
} from "@orgloop/sdk";
import type { WebhookSourceConfig } from "./config.ts";
import { githubDelivery } from "./github-delivery.ts";
import type { MissedRequest } from "./hook-deliveries.ts";
import { type SignatureForm, signatureVerifier } from "./verify-signature.ts";

/** A source that receives: one event a request, its payload the JSON object that was sent. */
export function webhookSource(config: WebhookSourceConfig): Source {
  const verify = signatureVerifier([config.secret ?? []].flat(), config.signature);
  return {
    async receive(request) {
      if (request.method !== "POST") {
        throw new RefusedError(405, `${request.method} is not allowed: send a POST`);
      }
      const form = verify(request);
      const content = (await request.content?.()) ?? request.body;
      const payload = parsePayload(decodeBody(content), request.headers["content-type"]);
      return [draft(config, request, payload, form)];
    },
  };
}

/** The event of a request of GitHub's that did not get here. */
export function missedDraft(
  config: WebhookSourceConfig,
  { headers, payload }: MissedRequest,
): EventDraft {
  return draft(config, { headers }, payload, "github");
}

function draft(
  config: WebhookSourceConfig,
  request: Pick<WebhookRequest, "headers">,
  payload: Record<string, unknown>,
  form: SignatureForm,
): EventDraft {
  const identity = deliveryId(request.headers, form);
  const githubEvent = request.headers["x-github-event"];
  const github = githubEvent ? githubDelivery(githubEvent, payload) : undefined;
  const type = valueAtPath(payload, config.event_type_field ?? "type");
  const named = typeof type === "string" ? type : undefined;
  const platformEvent =
    config.event_type_field === undefined
      ? (github?.provenance.platform_event ?? named)
      : (named ?? github?.provenance.platform_event);
  const { trace, hops } = tracing(request.headers);
  return {
    ...(identity !== undefined && { identity }),
    type: "resource.changed",
    provenance: {
      ...github?.provenance,
      platform: config.platform ?? (github ? "github" : "webhook"),
      platform_event: platformEvent ?? "unknown",
      ...hops,
    },
    payload,
    ...trace,
    ...(github?.orderingKey !== undefined && { ordering_key: github.orderingKey }),
  };
}

/**
 * What our own webhook actor sends along: what follows from an event stays under its trace and says
 * how many deliveries led to it, so that a loop is seen as one.
 */
function tracing(headers: WebhookRequest["headers"]) {
  const [, trace, hops] = TRACE.exec(headers["orgloop-trace"] ?? "") ?? [];
  return {
    trace: trace === undefined ? {} : { trace_id: trace },
    hops: hops === undefined ? {} : { hops: Number(hops) },
  };
}

const TRACE = /^(trc_[A-Za-z0-9]{1,64})(?:;hops=([1-9]\d{0,5}))?$/;

/**
 * The sender's id of the delivery, the same when it is sent again: `webhook-id` (first where the
 * signature covers it), GitHub's `X-GitHub-Delivery`, `Idempotency-Key`, Svix's `svix-id`,
 * `Linear-Delivery`, `X-Shopify-Webhook-Id`. Not `X-Request-Id`: proxies make a new one for each
 * attempt.
 */
function deliveryId(headers: WebhookRequest["headers"], form: SignatureForm): string | undefined {
  const names = [...DELIVERY_IDS];
  if (form === "standard") names.unshift("webhook-id");
  const name = names.find((candidate) => headers[candidate]);
  return name && `${name}/${headers[name]}`;
}

/** The first that a request has counts. */
const DELIVERY_IDS = [
  "x-github-delivery",
  "webhook-id",
  "idempotency-key",
  "svix-id",
  "linear-delivery",
  "x-shopify-webhook-id",
];

/**
 * The bytes as text, without loss. Throws {@link RefusedError} 400 where they are not UTF-8 (RFC
 * 8259, 8.1).
 */
export function decodeBody(body: Uint8Array): string {
  try {
    return decodeUtf8(body);
  } catch (cause) {
    throw new RefusedError(400, "the body is not UTF-8", { cause });
  }
}

/** The JSON object of a body. Throws {@link RefusedError} 400 for anything else. */
export function parsePayload(body: string, contentType: string | undefined) {
  let payload: unknown;
  try {
    payload = parseJson(body);
  } catch (cause) {
    if (hasCode(cause, "NUMBER_OUT_OF_RANGE")) {
      throw new RefusedError(400, `${cause.code}: ${cause.message}`, { cause, reason: cause.code });
    }
    const hint = contentType?.startsWith("application/x-www-form-urlencoded")
      ? ": set the sender's content type to application/json"
      : "";
    throw new RefusedError(400, `the body is not JSON${hint}`, { cause });
  }
  if (!isMapping(payload)) {
    const plain = plainValue(payload);
    const found = Array.isArray(plain) ? "an array" : `${plain === null ? "null" : typeof plain}`;
    throw new RefusedError(400, `the body is ${found}: expected a JSON object`);
  }
  if (isDeeperThan(payload, MAX_DEPTH)) {
    throw new RefusedError(400, `the body is nested more than ${MAX_DEPTH} levels deep`);
  }
  return payload;
}
