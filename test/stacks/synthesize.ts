import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Intake, newLayout, type StageLayout } from "@orgloop/aws/plan";
import { loadProject, topologyHash } from "@orgloop/config";
import type { RouteSpec, Topology } from "@orgloop/sdk";
import { type DrainingActor, orgloopStacks, stageInboxes } from "@orgloop/stacks";
import { App, Stack } from "aws-cdk-lib";
import { afterAll } from "vitest";
import { type Resource, resolved } from "./resolved.ts";

export const ACCOUNT = "123456789012";
export const REGION = "eu-west-1";

export interface SynthesizedStack {
  readonly resources: Readonly<Record<string, Resource>>;
  /**
   * The same with references as they are written: CloudFormation changes what differs in it, and
   * what refers to that.
   */
  readonly written: Readonly<Record<string, object>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Names of the stacks that are deployed before it. */
  readonly after: readonly string[];
}

export interface Synthesized {
  /** By name, without the stage's prefix. */
  readonly stacks: ReadonlyMap<string, SynthesizedStack>;
  readonly resources: readonly Resource[];
  ofType(type: string): readonly Resource[];
  /** Every file that is deployed: templates and assets. */
  files(): Iterable<readonly [file: string, text: string]>;
}

export interface SynthesizeOptions {
  readonly layout?: StageLayout;
  readonly existing?: ReadonlySet<string>;
  readonly draining?: readonly DrainingActor[];
  readonly former?: readonly RouteSpec[];
  readonly retain?: boolean;
  readonly plainAlarms?: boolean;
  /** What is left of inboxes from before. */
  readonly before?: Parameters<typeof stageInboxes>[2];
}

export const STAGE = "production";

/** Webhooks are received, everything else is polled. */
export const intake: Intake = ({ connector }) => {
  const received = connector === "@orgloop/connector-webhook";
  return { received, polled: !received };
};

/** What the templates take of an account's quotas, in the words of `stageSize`. */
export function sizeOf({ stacks, ofType }: Synthesized) {
  return {
    functions: ofType("AWS::Lambda::Function").length,
    roles: ofType("AWS::IAM::Role").length,
    schedules: ofType("AWS::Scheduler::Schedule").length,
    queues: ofType("AWS::SQS::Queue").length,
    stacks: stacks.size,
    reservedConcurrency: ofType("AWS::Lambda::Function").reduce(
      (sum, { Properties }) => sum + Number(Properties.ReservedConcurrentExecutions ?? 0),
      0,
    ),
  };
}

/** The stacks of a topology, with the functions' code left out. */
export function synthesize(topology: Topology, options: SynthesizeOptions = {}): Synthesized {
  const outdir = temporaryDirectory();
  const code = path.join(outdir, "code");
  mkdirSync(code);
  writeFileSync(path.join(code, "index.mjs"), "export const handler = 1;\n");
  const app = new App({ outdir, analyticsReporting: false });
  const env = { account: ACCOUNT, region: REGION };
  const made = orgloopStacks(
    (stackName, description) => new Stack(app, stackName, { stackName, description, env }),
    {
      stage: STAGE,
      topology,
      hash: topologyHash(topology),
      bundles: () => code,
      intake,
      layout: options.layout ?? newLayout(topology),
      existing: options.existing ?? new Set(),
      draining: options.draining ?? [],
      former: options.former ?? [],
      inboxes: stageInboxes(
        topology,
        options.draining ?? [],
        options.before ?? { routes: [], waiting: false },
      ),
      secretPrefix: `/sst/orgloop/${STAGE}/Secret/`,
      retain: options.retain ?? false,
      plainAlarms: options.plainAlarms ?? false,
    },
  );
  const assembly = app.synth();
  const stacks = new Map<string, SynthesizedStack>();
  for (const stack of made) {
    const { template } = assembly.getStackByName(stack.stackName);
    const resources = resolved(template.Resources, { account: ACCOUNT, region: REGION });
    stacks.set(short(stack.stackName), {
      resources,
      written: template.Resources,
      outputs: template.Outputs ?? {},
      after: stack.dependencies.map(({ stackName }) => short(stackName)),
    });
  }
  const resources = [...stacks.values()].flatMap((stack) => Object.values(stack.resources));
  return {
    stacks,
    resources,
    ofType: (type) => resources.filter(({ Type }) => Type === type),
    files: () => filesIn(outdir),
  };
}

const short = (name: string) => name.replace(`orgloop-${STAGE}-`, "");

const directories: string[] = [];
afterAll(() => {
  for (const one of directories) rmSync(one, { recursive: true, force: true });
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), "orgloop-synth-"));
  directories.push(directory);
  return directory;
}

function* filesIn(directory: string): Iterable<readonly [string, string]> {
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    const file = path.join(directory, name);
    if (statSync(file).isFile()) yield [name, readFileSync(file, "utf8")];
  }
}

/** Loads a project's files as the workspace of the stage. Fails with its errors. */
export async function loadTopology(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Topology> {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const home = path.join(directory, ".home");
  const { topology, errors } = await loadProject({
    path: directory,
    workspace: STAGE,
    env: { ...env, ORGLOOP_HOME: home },
  });
  if (topology === null) throw new Error(errors.map(({ message }) => message).join("\n"));
  return topology;
}
