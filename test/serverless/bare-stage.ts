// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { awsNames } from "@orgloop/aws/plan";
import { objectStore } from "@orgloop/aws/queue";
import { dynamoAppliedState, dynamoDeadLetters, topologyKey } from "@orgloop/aws/state";
import { loadProject, topologyHash } from "@orgloop/config";
import type { Topology } from "@orgloop/sdk";
import { inject } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";
import { orgloop } from "../run-orgloop.ts";

const WEBHOOK = "@orgloop/connector-webhook";

const MANIFEST = {
  apiVersion: "orgloop/v1alpha1",
  kind: "Project",
  metadata: { name: "acme" },
  sources: [
    { id: "hook", connector: WEBHOOK, config: {} },
    { id: "team-feed", connector: WEBHOOK, config: {} },
  ],
  actors: [
    { id: "agent", connector: WEBHOOK, config: { url: "https://agent.example.test/" } },
    { id: "chat", connector: WEBHOOK, config: { url: "${CHAT_URL}" } },
  ],
  routes: [
    {
      name: "to-agent",
      when: { source: "hook", events: ["resource.changed"], filter: { "payload.kind": "pr" } },
      then: { actor: "agent" },
    },
    {
      name: "to-chat",
      when: { source: "hook", events: ["resource.changed"] },
      then: { actor: "chat" },
    },
    {
      name: "feed",
      when: { source: "team-feed", events: ["message.received"] },
      then: { actor: "agent" },
    },
  ],
};

/**
 * A stage without its functions: queues, table and bucket as the stacks name and make them, with
 * the Topology applied; and the commands on it, by the real binary.
 */
export async function bareStage(stage: string) {
  const aws = inject("aws");
  const config = clientConfig(aws);
  const sqs = new SQSClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const client = new DynamoDBClient(config);
  const names = awsNames(stage);
  const account = aws.env.AWS_ACCESS_KEY_ID ?? "";
  const bucket = names.bucket(account, config.region);
  const table = { client, table: names.table };

  const root = await mkdtemp(path.join(tmpdir(), "orgloop-stage-"));
  const project = path.join(root, "project");
  await mkdir(path.join(project, "workspaces"), { recursive: true });
  const write = (manifest: object) =>
    writeFile(path.join(project, "orgloop.yaml"), JSON.stringify(manifest));
  await write(MANIFEST);
  const workspace = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Workspace",
    metadata: { name: stage },
    bus: "sqs",
    aws: { region: config.region },
  };
  await writeFile(path.join(project, "workspaces", `${stage}.yaml`), JSON.stringify(workspace));

  const queue = async (QueueName: string) => {
    const Attributes = {
      FifoQueue: "true",
      DeduplicationScope: "messageGroup",
      FifoThroughputLimit: "perMessageGroupId",
    };
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  };

  async function topology(): Promise<Topology> {
    const loaded = await loadProject({ path: project, workspace: stage, env: {} });
    if (loaded.topology === null) throw new Error(JSON.stringify(loaded.errors));
    return loaded.topology;
  }

  /** Makes what a deploy makes. */
  async function deploy(): Promise<void> {
    const applied = await topology();
    await createStateTable(client, names.table);
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    for (const name of [names.bus, names.busDlq]) await queue(name);
    for (const { id } of applied.actors) {
      await queue(names.actorQueue(id));
      await queue(names.actorDlq(id));
    }
    await apply(1);
  }

  /** Records the Topology of the files as applied. */
  async function apply(serial: number): Promise<void> {
    const applied = await topology();
    const hash = topologyHash(applied);
    const Body = JSON.stringify(applied);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: topologyKey(hash), Body }));
    const applied_at = new Date().toISOString();
    await dynamoAppliedState(table).write({ serial, hash, applied_at });
  }

  const objects = objectStore({ s3, bucket });
  const env = { ...aws.env, ORGLOOP_HOME: path.join(root, "home"), NO_COLOR: "1" };
  return {
    names,
    sqs,
    s3,
    bucket,
    table,
    objects,
    letters: dynamoDeadLetters({ ...table, objects }),
    topology,
    manifest: MANIFEST,
    project,
    write,
    deploy,
    apply,
    queueUrl: queue,
    env,
    /** A command on the stage, to its end. */
    run: (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
      orgloop(["--config", project, "--workspace", stage, ...args], { ...env, ...more }),
    async json(args: readonly string[]) {
      const { stdout, stderr, code } = await this.run(["--json", ...args]);
      try {
        return { code, stderr, answer: JSON.parse(stdout) };
      } catch {
        throw new Error(`orgloop ${args.join(" ")} exited ${code}:\n${stdout}\n${stderr}`);
      }
    },
    async end() {
      for (const one of [sqs, s3, client]) one.destroy();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export type BareStage = Awaited<ReturnType<typeof bareStage>>;
