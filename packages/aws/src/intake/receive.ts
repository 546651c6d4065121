import { answerWebhook, type MaskSecrets, systemClock, webhookSourceId } from "@orgloop/engine";
import { messageOf, RefusedError, type Source, type WebhookRequest } from "@orgloop/sdk";
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  LambdaFunctionURLEvent,
} from "aws-lambda";
import type { FlowLog } from "../functions/flow-log.ts";
import type { PublishDrafts } from "./event-publisher.ts";

/** A request as API Gateway (HTTP API) and function URLs hand it over: payload format 2.0. */
export type HttpEvent = Pick<
  APIGatewayProxyEventV2 | LambdaFunctionURLEvent,
  "rawPath" | "rawQueryString" | "headers" | "body" | "isBase64Encoded"
> & { readonly requestContext: { readonly http: { readonly method: string } } };

export interface ReceiveOptions {
  /**
   * Undefined: there is no source of that id. Rejects where it cannot run now: a secret that cannot
   * be read.
   */
  readonly openSource: (id: string) => Promise<Source | undefined>;
  /** Whether a source takes what a foreign web page makes a browser send. */
  readonly takesFromPages: (id: string) => boolean;
  readonly publish: PublishDrafts;
  readonly flow: FlowLog;
  readonly mask: MaskSecrets;
}

/**
 * What Lambda itself takes (AWS, Lambda quotas: 6 MB), and what a process would refuse beyond its
 * own.
 */
const BODY_LIMIT = 6 * 1024 ** 2;

/** Takes a webhook in: 200 only when SQS has every event of the request. */
export async function receiveRequest(
  event: HttpEvent,
  { openSource, takesFromPages, publish, flow, mask }: ReceiveOptions,
): Promise<APIGatewayProxyStructuredResultV2> {
  const { method } = event.requestContext.http;
  const id = webhookSourceId(webhookPath(event.rawPath));
  let closed: string | undefined;
  const source = await openSource(id).catch((error) => {
    flow.log({ phase: "system.error", source: id.slice(0, 200), error: messageOf(error) });
    closed = "the source cannot run now";
    return { receive: async () => [] };
  });
  const { status, headers, body } = await answerWebhook({
    id,
    method,
    source,
    header: (name) => headerOf(event, name),
    takesFromPages: () => takesFromPages(id),
    closed,
    read: async () => webhookRequest(event),
    bodyLimit: BODY_LIMIT,
    timers: systemClock.timers,
    // Which are repeats the router finds: who takes in and dies before the bus has the event must
    // not have claimed it.
    keep: async (drafts) => ({ ...(await publish(id, drafts, "receive")), repeats: [] }),
    log: flow.log,
    mask,
    onRefused: () => flow.count("refused"),
  });
  return {
    statusCode: status,
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** The bytes as they were sent: signatures are over these. */
function webhookRequest(event: HttpEvent): WebhookRequest {
  const encoding = event.isBase64Encoded ? "base64" : "utf8";
  const body = Buffer.from(event.body ?? "", encoding);
  if (body.byteLength > BODY_LIMIT) {
    throw new RefusedError(413, `the body has ${body.byteLength} bytes; ${BODY_LIMIT} are taken`);
  }
  const headers = Object.entries(event.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), value] as const],
  );
  return {
    method: event.requestContext.http.method,
    headers: Object.fromEntries(headers),
    query: Object.fromEntries(new URLSearchParams(event.rawQueryString)),
    body,
  };
}

function headerOf({ headers }: HttpEvent, wanted: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** From `/webhook/` on: API Gateway puts the name of its stage before it. */
function webhookPath(rawPath: string): string {
  const at = rawPath.indexOf("/webhook/");
  return at === -1 ? "" : rawPath.slice(at);
}
