import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const WEBHOOK = "@orgloop/connector-webhook";
const PATIENT = { max_attempts: 1000, initial_delay: "1s", max_delay: "2s" };
export const HUB_SECRET = "a-secret-of-the-test";

/** Agents behind HTTP: the path is the agent's name. */
export interface Agents {
  readonly url: string;
  /** What an agent was sent, in the order in which it came: `payload.n`. */
  got(agent: string): readonly number[];
  /** While set, the agent answers 503. */
  readonly down: Set<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startAgents(): Promise<Agents> {
  const received = new Map<string, number[]>();
  const down = new Set<string>();
  const server = createServer(async (request, response) => {
    const agent = (request.url ?? "").slice(1);
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    if (down.has(agent)) return response.writeHead(503).end();
    const list = received.get(agent) ?? [];
    received.set(agent, [...list, JSON.parse(text).event.payload.n]);
    response.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got: (agent) => received.get(agent) ?? [],
    down,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A project with one signed webhook source, and a route to each of `agents`. */
export interface DeployProject {
  readonly directory: string;
  /** Rewrites it, as workspaces `stages`. */
  write(agents: readonly string[], stages: readonly string[]): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function deployProject(url: string): Promise<DeployProject> {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-deploy-project-"));
  await mkdir(path.join(directory, "workspaces"));
  const put = (file: string, value: object) =>
    writeFile(
      path.join(directory, file),
      JSON.stringify({ apiVersion: "orgloop/v1alpha1", ...value }),
    );
  return {
    directory,
    async write(agents, stages) {
      await put("orgloop.yaml", {
        kind: "Project",
        metadata: { name: "acme" },
        // An agent that is down for the time of a deploy is waited for.
        defaults: { delivery: { circuit_breaker: false, retry: PATIENT } },
        sources: [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
          { id: "hub", connector: WEBHOOK, config: { secret: "${HUB_SECRET}" } },
        ],
        actors: agents.map((id) => ({ id, connector: WEBHOOK, config: { url: `${url}/${id}` } })),
        routes: agents.map((actor) => ({
          name: `to-${actor}`,
          when: { source: "hub", events: ["resource.changed"] },
          then: { actor },
        })),
      });
      for (const name of stages) {
        await put(`workspaces/${name}.yaml`, {
          kind: "Workspace",
          metadata: { name },
          bus: "sqs",
          network: { allow_private: ["127.0.0.0/8"] },
        });
      }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * Sends a signed webhook to the stage of a `WebhookUrl`; gives the status. MiniStack takes the
 * URL's id in the path.
 */
export async function sendWebhook(
  endpoint: string,
  webhookUrl: string,
  n: number,
  secret = HUB_SECRET,
): Promise<number> {
  const id = new URL(webhookUrl).host.split(".")[0];
  const body = JSON.stringify({ n });
  const response = await fetch(`${endpoint}/_aws/lambda-url/${id}/webhook/hub`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-delivery": `delivery-${n}`,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Asks until it holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(100);
}
