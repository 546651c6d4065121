import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An actor at `url` that takes everything; `took(n)` resolves when it has taken the n-th. */
export async function startActor() {
  let count = 0;
  let reported = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      response.writeHead(204).end();
      count += 1;
      reported.resolve();
      reported = Promise.withResolvers();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async took(number: number): Promise<void> {
      while (count < number) await reported.promise;
    },
    end() {
      server.close();
      server.closeAllConnections();
    },
  };
}
