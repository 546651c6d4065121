import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

/**
 * An actor's other end: an HTTP server that checks each request's signature and keeps the ids it
 * has seen.
 */
export interface Receiver {
  readonly url: string;
  /** How often each event arrived, by its id. */
  readonly seen: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/**
 * Listens on a free port of 127.0.0.1; answers 204, or 401 where the Standard Webhooks signature
 * does not hold.
 */
export async function startReceiver(secret: string): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const seen = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString();
    try {
      webhook.verify(body, request.headers as Record<string, string>);
    } catch {
      response.writeHead(401).end();
      return;
    }
    const id = String(request.headers["webhook-id"]);
    seen.set(id, (seen.get(id) ?? 0) + 1);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/review`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
