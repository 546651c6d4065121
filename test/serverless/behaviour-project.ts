// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** The secret of the webhook source `hook`, as Standard Webhooks writes one. */
export const HOOK_SECRET = `whsec_${Buffer.from("a secret of the tests").toString("base64")}`;

export interface BehaviourProjectOptions {
  /** Each actor's events go to this, its id and all. */
  readonly actorsUrl: string;
  /** Answers what the source `feed` has behind a checkpoint: a list of pages. */
  readonly feedUrl: string;
}

/**
 * Actors, each with one route that brings it what is for it; which of its attempts fail is the
 * test's to say.
 */
const ACTORS: Readonly<
  Record<
    string,
    { readonly connector?: string; readonly delivery?: object; readonly config?: object }
  >
> = {
  steady: {},
  beside: {},
  keyed: {
    delivery: {
      retry: { max_attempts: 100, initial_delay: "1s", max_delay: "1s", jitter: "none" },
      circuit_breaker: false,
    },
  },
  broken: {
    delivery: {
      retry: { max_attempts: 100, initial_delay: "1s", max_delay: "1s", jitter: "none" },
      circuit_breaker: { failure_threshold: 1, cooldown: "2s", max_cooldown: "2s" },
    },
  },
  refusing: {
    delivery: {
      retry: { max_attempts: 2, initial_delay: "1s", max_delay: "1s", jitter: "none" },
      circuit_breaker: false,
    },
  },
  fragile: {
    connector: "connector-fragile",
    delivery: { retry: { max_attempts: 2 }, circuit_breaker: false },
  },
  fetching: {
    config: { inbox: true, session_key: "{{payload.key}}", inbox_ttl: "{{payload.ttl}}" },
  },
  poisoned: {
    connector: "connector-fragile",
    delivery: { retry: { max_attempts: 2 }, circuit_breaker: false },
  },
  redriven: {
    connector: "connector-fragile",
    delivery: { retry: { max_attempts: 100 }, circuit_breaker: false },
  },
};

const ANYTHING = `config: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },`;

/** A source that asks its server for pages. */
const FEED = `
export default {
  kind: "connector",
  id: "feed",
  source: {
    intake: ["poll"],
    ${ANYTHING}
    create: async ({ url }) => ({
      async *poll(checkpoint) {
        const response = await fetch(url + "?after=" + encodeURIComponent(checkpoint ?? ""));
        for (const page of await response.json()) yield page;
      },
    }),
  },
};
`;

/** An actor whose process ends in the middle of an attempt where its server says so. */
const FRAGILE = `
export default {
  kind: "connector",
  id: "fragile",
  actor: {
    ${ANYTHING}
    create: async ({ url }) => ({
      async deliver(event) {
        const body = JSON.stringify({ event });
        const response = await fetch(url, { method: "POST", body });
        if (response.status === 410) process.exit(1);
        if (!response.ok) throw new Error("answered " + response.status);
      },
    }),
  },
};
`;

const CONNECTORS = { "connector-feed": FEED, "connector-fragile": FRAGILE };

/** Writes a project whose workspace `stage` is deployed to AWS; gives its directory. */
export async function writeBehaviourProject(
  stage: string,
  { actorsUrl, feedUrl }: BehaviourProjectOptions,
): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-behaviour-"));
  const ids = Object.keys(ACTORS);
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "behaviour" },
    sources: [
      {
        id: "hook",
        connector: "@orgloop/connector-webhook",
        config: { secret: "${HOOK_SECRET}", signature: "standard" },
      },
      {
        id: "feed",
        connector: "connector-feed",
        config: { url: feedUrl },
        poll: { interval: "1m" },
      },
    ],
    actors: ids.map((id) => ({
      id,
      connector: ACTORS[id]?.connector ?? "@orgloop/connector-webhook",
      config: { url: `${actorsUrl}${id}` },
    })),
    routes: ids.map((id) => ({
      name: `to-${id}`,
      when: {
        source: ["hook", "feed"],
        events: ["resource.changed"],
        filter: { "payload.to": id },
      },
      then: {
        actor: id,
        delivery: { key: "payload.key", ...ACTORS[id]?.delivery },
        config: { ...ACTORS[id]?.config },
      },
    })),
  };
  await mkdir(path.join(directory, "workspaces"));
  const write = (file: string, content: object) =>
    writeFile(path.join(directory, file), JSON.stringify(content, null, 2));
  await write("orgloop.yaml", manifest);
  await write(`workspaces/${stage}.yaml`, {
    apiVersion: "orgloop/v1alpha1",
    kind: "Workspace",
    metadata: { name: stage },
    bus: "sqs",
    aws: { region: "eu-west-1" },
    network: { allow_private: ["127.0.0.0/8"] },
  });
  for (const [name, code] of Object.entries(CONNECTORS)) {
    const folder = path.join(directory, "node_modules", name);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, "index.mjs"), code);
    await writeFile(path.join(folder, "package.json"), `{"exports":"./index.mjs"}`);
  }
  return directory;
}

/** Removes it. */
export const removeProject = (directory: string) => rm(directory, { recursive: true, force: true });
