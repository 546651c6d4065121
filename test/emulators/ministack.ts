import path from "node:path";
import { type Emulator, freePort, startEmulator } from "./emulator.ts";
import { pythonPackages } from "./python-packages.ts";

/**
 * Starts MiniStack (pinned in `ministack/requirements.txt`, from PyPI, installed into `.tools/` the
 * first time) on a free port. Functions run on this process's Node. Rejects with the reason where
 * there is no Python or no PyPI.
 */
export async function startMiniStack(): Promise<Emulator> {
  const packages = await pythonPackages(
    "ministack",
    path.join(import.meta.dirname, "ministack/requirements.txt"),
  );
  const port = await freePort();
  return startEmulator({
    name: "ministack",
    account: "111111111111",
    python: "python3",
    module: "ministack",
    port,
    healthPath: "/_ministack/health",
    patienceMs: 60_000,
    env: {
      PYTHONPATH: packages,
      GATEWAY_PORT: String(port),
      BIND_HOST: "127.0.0.1",
      MINISTACK_HOST: "127.0.0.1",
      LAMBDA_EXECUTOR: "local",
      IOT_MTLS_ENABLED: "false",
    },
  });
}
