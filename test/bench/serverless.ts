import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import {
  type RouteBatchOptions,
  routeBatch,
  routeTopology,
  type Secrets,
} from "@orgloop/aws/batches";
import { memoryState } from "@orgloop/aws/memory-state-fixture";
import { eventDedupId, messageGroup } from "@orgloop/aws/plan";
import { busMessage } from "@orgloop/aws/queue";
import { knownSecrets, type TraceChain } from "@orgloop/engine";
import { pluginEntry, pluginLookup } from "@orgloop/node";
import type { OrgLoopEvent, Topology, Transform } from "@orgloop/sdk";
import { bundleSize, prepareStage } from "@orgloop/stacks";
import { memoryClaims, memoryDeadLetters } from "@orgloop/stores";
import { FORTUNE_50, writeEnterprise } from "@orgloop/testkit";
import { describeMachine } from "./machine.ts";

const COLD_STARTS = 7;
const BATCHES = 1_000;
const BATCH = 10;
const ROOT = path.resolve(import.meta.dirname, "../..");
const say = (line: string) => process.stdout.write(`${line}\n`);
const run = promisify(execFile);

const median = (numbers: readonly number[]) =>
  numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** The Fortune-50 organisation, prepared as a deploy does it. */
async function prepare(root: string) {
  const projectDir = path.join(root, "project");
  writeEnterprise(projectDir, FORTUNE_50);
  const workspace =
    "apiVersion: orgloop/v1alpha1\nkind: Workspace\nmetadata: { name: bench }\nbus: sqs\n";
  writeFileSync(path.join(projectDir, "workspaces", "bench.yaml"), workspace);
  return prepareStage({
    projectDir,
    stage: "bench",
    env: { GITHUB_TOKEN: "t", AGENT_SECRET: "s" },
    lookup: pluginLookup({ projectDir }),
    entry: pluginEntry({ projectDir }),
    functionsDir: path.join(ROOT, "functions"),
    outDir: path.join(root, "bundles"),
    secretPrefix: "/bench/",
    retain: false,
    readDeployed: async () => ({
      layout: null,
      project: null,
      actors: [],
      routes: [],
      draining: [],
      empty: new Set(),
      waiting: false,
      stacks: new Set(),
    }),
  });
}

/** Of each function: all of it, and what of that a cold start loads. */
function bundleBytes(root: string): void {
  const bundles = path.join(root, "bundles");
  for (const name of readdirSync(bundles).toSorted()) {
    if (!statSync(path.join(bundles, name)).isDirectory()) continue;
    const [kind = ""] = name.split("-");
    const { start, all } = bundleSize(path.join(bundles, name));
    say(
      `bundle ${kind.padEnd(8)} ${String(all).padStart(7)} bytes, under 1 MB: ${all < 1_000_000}; a cold start loads ${String(start).padStart(7)}`,
    );
  }
}

/** S3 as far as a cold start asks for it: one object. */
async function serveSpec(spec: string) {
  const etag = createHash("md5").update(spec).digest("hex");
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json", etag: `"${etag}"` });
    response.end(spec);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/**
 * What Lambda does before the first batch: a Node process that imports the bundle, which reads the
 * Topology and compiles it.
 */
async function coldStarts(bundle: string, topology: Topology, hash: string): Promise<void> {
  const spec = JSON.stringify({ topology, hash });
  const s3 = await serveSpec(spec);
  const script = `const from = performance.now(); await import(${JSON.stringify(bundle)});
    process.stdout.write(JSON.stringify({ ms: performance.now() - from, rss: process.memoryUsage().rss })); process.exit(0)`;
  const env = {
    PATH: process.env.PATH,
    AWS_ENDPOINT_URL: s3.url,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    ORGLOOP_STAGE: "bench",
    ORGLOOP_PROJECT: topology.project,
    ORGLOOP_TABLE: "bench",
    ORGLOOP_BUCKET: "bench",
    ORGLOOP_BUS_URL: `${s3.url}/1/bus.fifo`,
    ORGLOOP_SECRET_PREFIX: "/bench/",
    ORGLOOP_SPEC: "s3://bench/spec.json",
  };
  const starts: { ms: number; rss: number }[] = [];
  const processes: number[] = [];
  for (let at = 0; at < COLD_STARTS; at++) {
    const from = performance.now();
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { env });
    processes.push(performance.now() - from);
    starts.push(JSON.parse(stdout));
  }
  s3.close();
  const bare = performance.now();
  execFileSync(process.execPath, ["-e", ""]);
  const bareMs = performance.now() - bare;
  say(
    `cold start of the router's module, ${topology.routes.length} routes (${(spec.length / 1e6).toFixed(1)} MB): median ${median(starts.map(({ ms }) => ms)).toFixed(0)} ms, resident ${(Math.max(...starts.map(({ rss }) => rss)) / 1024 ** 2).toFixed(0)} MiB; the whole process ${median(processes).toFixed(0)} ms, an empty one ${bareMs.toFixed(0)} ms`,
  );
}

/** The router's own work on a batch: stores, queues and bucket answer at once. */
async function recordsPerSecond(topology: Topology, hash: string): Promise<void> {
  const clock = {
    now: Date.now,
    random: Math.random,
    timers: {
      setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
      clearTimeout,
    },
  } as RouteBatchOptions["clock"];
  const objects = {
    put: async () => {},
    get: async (): Promise<string> => {
      throw new Error("nothing is that long");
    },
  };
  const flow = { log: () => {}, count: () => {} };
  const state = memoryState(clock);
  const shared = {
    known: knownSecrets(),
    clock,
    flow,
    objects,
    claims: memoryClaims(),
    deadLetters: memoryDeadLetters(),
  };
  const secrets: Secrets = {
    resolve: async (_, value) => value,
    resolveEach: async (items) => items.map(({ value }) => value),
  };
  const pass: Transform = { execute: async (event) => event };
  let matched = 0;
  const options: RouteBatchOptions = {
    ...shared,
    ...state,
    ...(await routeTopology({ ...shared, secrets, topology, openTransform: async () => pass })),
    traces: state.traces<TraceChain>(),
    topologyHash: hash,
    busUrl: "https://sqs.test/1/bus.fifo",
    historyUrl: "https://sqs.test/1/history",
    queueUrlOf: (actor) => `https://sqs.test/1/${actor}.fifo`,
    hide: async () => {},
    sender: {
      async sendEach(_, messages) {
        matched += messages.length;
        return messages.map(() => null);
      },
    },
  };
  const sources = topology.sources;
  const keys = { messageGroup, eventDedupId };
  const batches = await Promise.all(
    Array.from({ length: BATCHES }, (_, at) =>
      Promise.all(
        Array.from({ length: BATCH }, async (_unused, n) => {
          const number = at * BATCH + n;
          const { id: source = "" } = sources[(number * 7) % sources.length] ?? {};
          const { body, group } = await busMessage(eventOf(number, source), keys, objects);
          const attributes = {
            ApproximateReceiveCount: "1",
            SentTimestamp: String(Date.now()),
            MessageGroupId: group,
          };
          return { messageId: `m${number}`, receiptHandle: `h${number}`, body, attributes };
        }),
      ),
    ),
  );
  const from = performance.now();
  for (const batch of batches) {
    const { batchItemFailures } = await routeBatch(batch, () => 30_000, options);
    if (batchItemFailures.length > 0) throw new Error("a record was given back");
  }
  const seconds = (performance.now() - from) / 1_000;
  const records = BATCHES * BATCH;
  say(
    `router in process: ${Math.round(records / seconds)} records/s (${records} records in batches of ${BATCH}, ${matched} deliveries, ${topology.routes.length} routes)`,
  );
}

const EVENTS = ["pull_request.opened", "issues.opened", "issue_comment", "workflow_run.completed"];

function eventOf(number: number, source: string): OrgLoopEvent {
  return {
    id: `evt_${number}`,
    timestamp: new Date().toISOString(),
    source,
    type: "resource.changed",
    provenance: {
      platform: "github",
      platform_event: EVENTS[number % EVENTS.length] ?? "",
      author: `dev-${number % 300}`,
    },
    payload: {
      title: "x".repeat(500),
      label: `area-${number % 40}-x`,
      draft: false,
      size: number % 1_000,
    },
    trace_id: `trc_${number}`,
  };
}

say(await describeMachine(tmpdir()));
const root = mkdtempSync(path.join(tmpdir(), "orgloop-bench-serverless-"));
mkdirSync(path.join(root, "bundles"));
try {
  const { topology, hash, bundles } = await prepare(root);
  bundleBytes(root);
  const router = path.join(bundles("route", routerPackages(topology)), "index.mjs");
  if (!readFileSync(router, "utf8").includes("ORGLOOP_")) throw new Error("no router was bundled");
  await coldStarts(router, topology, hash);
  await recordsPerSecond(topology, hash);
} finally {
  rmSync(root, { recursive: true });
}

/** As the stacks choose them. */
function routerPackages({ transforms }: Topology): readonly string[] {
  return [...new Set(transforms.map((one) => one.package ?? "@orgloop/transform-script"))].sort();
}
