import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { callProcess } from "./running-process.ts";

test("a process that ends before it has answered is said to", async () => {
  const server = createServer((request) => request.socket.destroy());
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const asked = callProcess(tmpdir(), { port }, "/control/apply", { json: {} });
  await expect(asked).rejects.toMatchObject({
    code: "NO_ANSWER",
    message: `the process on port ${port} ended before it answered (/control/apply)`,
    cause: expect.any(Error),
  });
});
