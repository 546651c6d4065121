import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { startActor } from "./actor.ts";
import type { Journey } from "./journey.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SECRET = "walk";

/** A signed webhook, through `orgloop start` on a file log, to an actor. */
export async function processJourney(): Promise<Journey> {
  const home = await mkdtemp(path.join(tmpdir(), "orgloop-walk-"));
  const actor = await startActor();
  const project = path.join(ROOT, "test/fixtures/pipeline");
  let url = "";
  return {
    title: "an event through the process",
    args: [path.join(ROOT, "packages/cli/src/main.ts"), "start", "-c", project, "--port", "0"],
    env: { ORGLOOP_HOME: home, HOOK_SECRET: SECRET, RECEIVER_URL: actor.url },
    ready: (child) =>
      new Promise((resolve) => {
        for (const stream of [child.stdout, child.stderr]) {
          if (stream === null) continue;
          createInterface(stream).on("line", (line) => {
            url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? url;
            if (url !== "") resolve();
          });
        }
      }),
    async send(_, number) {
      const body = JSON.stringify({ action: "opened", number });
      const headers = {
        "content-type": "application/json",
        "x-github-delivery": String(number),
        "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
      };
      const { status } = await fetch(`${url}/webhook/hook`, { method: "POST", body, headers });
      if (status !== 200) throw new Error(`the webhook answered ${status}`);
      await actor.took(number);
    },
    async end() {
      actor.end();
      await rm(home, { recursive: true, force: true });
    },
  };
}
