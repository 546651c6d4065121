import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Receiver {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  /** Resolves when `total` requests have come since the start. */
  until(total: number): Promise<void>;
  close(): void;
}

/** The actor: answers 204 to each request and counts it. */
export async function startReceiver(): Promise<Receiver> {
  let count = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached = (): void => {};
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => {
      response.writeHead(204).end();
      count += 1;
      if (count >= wanted) reached();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    until: (total) =>
      new Promise<void>((resolve) => {
        wanted = total;
        reached = resolve;
        if (count >= wanted) resolve();
      }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
