import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { startMiniStack } from "../emulators/ministack.ts";
import { startActor } from "./actor.ts";
import type { Journey } from "./journey.ts";

/**
 * A signed webhook, through the functions on an emulator's queues, table and bucket, to an actor.
 */
export async function functionsJourney(): Promise<Journey> {
  const [emulator, actor] = await Promise.all([startMiniStack(), startActor()]);
  const { endpoint, env } = emulator;
  const answered = async (child: ChildProcess, key: string): Promise<void> => {
    for (;;) {
      const [message] = await once(child, "message");
      if (key in message) return;
    }
  };
  return {
    title: "an event through the functions",
    args: [path.join(import.meta.dirname, "functions-process.ts")],
    env: { ...env, WALK_AWS: JSON.stringify({ endpoint, env }), RECEIVER_URL: actor.url },
    ready: (child) => answered(child, "ready"),
    async send(child, number) {
      const sent = answered(child, "sent");
      child.send({ send: number });
      await sent;
    },
    async end() {
      actor.end();
      await emulator.stop();
    },
  };
}
