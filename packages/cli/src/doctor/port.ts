import { once } from "node:events";
import { createServer } from "node:net";
import { messageOf } from "@orgloop/sdk";
import { listenerOn } from "../process/port.ts";
import type { FoundProcess } from "../process/running-process.ts";
import type { Check } from "./check.ts";

/** Whether the port is free, or ours. */
export async function checkPort(port: number, found: FoundProcess | null): Promise<Check> {
  const check = { category: "network", name: "port" };
  if (found?.responsive) {
    return { ...check, status: "ok", message: `${port} is this project's own process` };
  }
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return { ...check, status: "ok", message: `${port} is free` };
  } catch (error) {
    const listener = (await listenerOn(port)) ?? messageOf(error);
    return { ...check, status: "error", message: `${port} cannot be used: ${listener}` };
  } finally {
    server.close();
  }
}
