import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Writable } from "node:stream";
import { OrgLoopError, RefusedError, RetryAfterError, type WebhookRequest } from "@orgloop/sdk";
import type { LegacyEvent, LegacySource } from "./legacy-interfaces.ts";

type Handler = ReturnType<NonNullable<LegacySource["webhook"]>>;

/** What a 429 without a time means. */
const RETRY_AFTER_MS = 5_000;

/**
 * Calls a webhook handler of OrgLoop 0.7.9 with Node's own request and response, which lead
 * nowhere. Its answer counts where it refuses: 4xx becomes that refusal (429 a delay), 5xx a
 * failure. What it answers otherwise is dropped: the host says 200, and only when the events are
 * durable.
 */
export async function callWebhookHandler(
  handler: Handler,
  sourceId: string,
  request: WebhookRequest,
): Promise<readonly LegacyEvent[]> {
  const socket = new Socket();
  const req = requestOf(request, sourceId, socket);
  const res = new ServerResponse(req);
  const answer: Buffer[] = [];
  // ServerResponse asks nothing of its socket but to take bytes.
  const sink = new Writable({
    write(chunk, _, done) {
      answer.push(chunk);
      done();
    },
  });
  res.assignSocket(sink as Socket);
  try {
    const events = await handler(req, res);
    refuse(res.statusCode, bodyOf(answer));
    return events ?? [];
  } finally {
    req.destroy();
    res.destroy();
    socket.destroy();
  }
}

function requestOf(request: WebhookRequest, sourceId: string, socket: Socket): IncomingMessage {
  const req = new IncomingMessage(socket);
  const query = new URLSearchParams(request.query).toString();
  req.method = request.method;
  req.url = `/webhook/${encodeURIComponent(sourceId)}${query === "" ? "" : `?${query}`}`;
  req.httpVersion = "1.1";
  req.headers = { ...request.headers };
  req.rawHeaders = Object.entries(request.headers).flat();
  req.push(request.body);
  req.push(null);
  return req;
}

function refuse(status: number, body: string): void {
  const why = body === "" ? `the source answered ${status}` : body;
  if (status === 429) throw new RetryAfterError(why, RETRY_AFTER_MS);
  if (status >= 500) throw new OrgLoopError("WEBHOOK_FAILED", why);
  if (status >= 400) throw new RefusedError(status as RefusedError["status"], why);
}

/** The text after the head of the response: of `{"error": …}` the error. */
function bodyOf(answer: readonly Buffer[]): string {
  const text = Buffer.concat(answer).toString("utf8");
  const body = text.slice(text.indexOf("\r\n\r\n") + 4).trim();
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === "string" ? error : body;
  } catch {
    return body;
  }
}
