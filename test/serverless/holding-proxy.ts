import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface HoldingProxy {
  readonly url: string;
  /** How many requests were held. */
  readonly held: number;
  close(): Promise<void>;
}

/**
 * Hands requests on to `endpoint`, but for those whose body `holds`: they are never answered, and
 * reach nothing.
 */
export async function holdingProxy(
  endpoint: string,
  holds: (body: string) => boolean,
): Promise<HoldingProxy> {
  const { hostname, port } = new URL(endpoint);
  let held = 0;
  const server = createServer(async (incoming, response) => {
    const body = await buffer(incoming);
    if (holds(body.toString())) {
      held += 1;
      return;
    }
    const { url: path, method, headers } = incoming;
    const outgoing = request({ hostname, port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    outgoing.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get held() {
      return held;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
