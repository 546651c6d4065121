import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { sign } from "@octokit/webhooks-methods";

interface Recordings {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/** GitHub's recorded deliveries, by event type (the package `@octokit/webhooks-examples`). */
export function recordings(): readonly Recordings[] {
  return createRequire(import.meta.url)("@octokit/webhooks-examples/api.github.com/index.json");
}

/**
 * Sends every recording to the webhook as GitHub would, signed, eight at a time; returns how many
 * got which status.
 */
export async function sendRecordings(url: string, secret: string): Promise<Map<number, number>> {
  const queue = recordings().flatMap(({ name, examples }) =>
    examples.map((payload) => ({ name, body: JSON.stringify(payload) })),
  );
  const statuses = new Map<number, number>();
  const send = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": next.name,
          "x-github-delivery": randomUUID(),
          "x-hub-signature-256": await sign(secret, next.body),
        },
        body: next.body,
      });
      await response.body?.cancel();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, send));
  return statuses;
}
