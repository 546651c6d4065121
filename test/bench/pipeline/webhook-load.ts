import { createHmac } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";

const SENDERS = 64;
export const SECRET = "bench";

/** About 1 KB, as a small GitHub delivery. */
function bodyOf(number: number): string {
  return JSON.stringify({ action: "opened", number, title: "x".repeat(900) });
}

/** Sends signed webhooks to one receiver over `SENDERS` connections. */
export class WebhookLoad {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SENDERS });

  /**
   * Sends numbers `from`..`to`, `SENDERS` at a time, each when the one before was answered 200; 503
   * is tried again. Rejects with any other answer.
   */
  async send(url: string, from: number, to: number): Promise<void> {
    let next = from;
    const sender = async () => {
      while (next < to) {
        const number = next;
        next += 1;
        const body = bodyOf(number);
        const signature = createHmac("sha256", SECRET).update(body).digest("hex");
        const headers = {
          "content-type": "application/json",
          "x-hub-signature-256": `sha256=${signature}`,
          "x-github-delivery": String(number),
        };
        for (;;) {
          const status = await this.#post(url, body, headers);
          if (status === 200) break;
          if (status !== 503) throw new Error(`the webhook answered ${status}`);
        }
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(url: string, body: string, headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { method: "POST", agent: this.#agent, headers };
      const sent = httpRequest(url, options, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
      });
      sent.once("error", reject);
      sent.end(body);
    });
  }
}
