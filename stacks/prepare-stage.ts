import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  awaitedActors,
  bulkheadRefusal,
  newLayout,
  readIntakes,
  type StageLayout,
} from "@orgloop/aws/plan";
import {
  connectorRepeatWindows,
  type Environment,
  loadProject,
  topologyHash,
} from "@orgloop/config";
import { OrgLoopError, type PluginLookup, type Topology } from "@orgloop/sdk";
import { stageBulkheads } from "./bulkheads.ts";
import { type Deployed, stillDraining } from "./draining.ts";
import { bundleFunctions } from "./functions/bundle-functions.ts";
import { functionPackages } from "./functions/function-packages.ts";
import { type InboxesBefore, stageInboxes } from "./inboxes.ts";
import { invalid, notSqs } from "./preflight.ts";
import type { StageInput } from "./stage.ts";

export interface PrepareOptions {
  /** The project's directory, absolute. */
  readonly projectDir: string;
  /** The workspace, which is the stage. */
  readonly stage: string;
  readonly env: Environment;
  readonly lookup: PluginLookup;
  /** The absolute path of a package's module. */
  readonly entry: (packageName: string) => Promise<string>;
  /** Holds the functions' sources. */
  readonly functionsDir: string;
  /** Where bundles are written. */
  readonly outDir: string;
  readonly secretPrefix: string;
  readonly retain: boolean;
  /**
   * What earlier deploys left, for a Topology that has the actors `wanted` and whose routes wait
   * for those `awaited`; `layout` is null where there was none.
   */
  readonly readDeployed: (
    wanted: ReadonlySet<string>,
    awaited: readonly string[],
  ) => Promise<
    Deployed &
      InboxesBefore & {
        readonly layout: StageLayout | null;
        readonly stacks: ReadonlySet<string>;
      }
  >;
}

/**
 * Reads a project for deploying. Throws `CONFIG_INVALID` with the errors of `orgloop validate`, and
 * where the bus is not `sqs`.
 */
export async function prepareStage(options: PrepareOptions): Promise<StageInput> {
  const { stage, lookup } = options;
  const topology = await readTopology(options);
  const ids = topology.actors.map(({ id }) => id);
  const awaited = awaitedActors(topology, topology.actors);
  const deployed = await options.readDeployed(new Set(ids), awaited);
  refuseForeign(topology, deployed.project, options);
  const draining = stillDraining(topology, deployed);
  const inboxes = stageInboxes(topology, draining, deployed);
  const intake = await readIntakes(topology, lookup);
  const bulk = stageBulkheads({ topology, intake, draining }, [
    ...new Set([...ids, ...draining.map(({ id }) => id), ...awaited]),
  ]);
  const refusal = bulkheadRefusal(bulk);
  if (refusal !== null) throw new OrgLoopError("CONFIG_INVALID", refusal);
  const polled = topology.sources.filter((source) => intake(source).polled);
  const received = topology.sources.filter((source) => intake(source).received);
  const actors = [...topology.actors, ...draining];
  const wanted = functionPackages(topology, { polled, received }, actors, awaited);
  const entries = new Map<string, string>();
  for (const name of new Set(wanted.flatMap(([, packages]) => packages))) {
    entries.set(name, await options.entry(name));
  }
  return {
    stage,
    topology,
    hash: topologyHash(topology),
    intake,
    repeatWindows: await connectorRepeatWindows(topology.sources, lookup),
    bundles: await bundleFunctions({
      functionsDir: options.functionsDir,
      outDir: options.outDir,
      entry: (name) => entries.get(name) ?? name,
      scripts: readScripts(topology, options.projectDir),
      schemas: topology.sources.some(({ schemas }) => schemas !== undefined),
      jq: topology.transforms.some(({ config }) => config.jq !== undefined),
      wanted,
    }),
    layout: deployed.layout ?? newLayout(topology),
    existing: deployed.stacks,
    draining,
    former: deployed.routes,
    inboxes,
    secretPrefix: options.secretPrefix,
    retain: options.retain,
    plainAlarms: options.env.AWS_ENDPOINT_URL !== undefined,
  };
}

/**
 * A project in the place of another would take everything of it away; the folder is easily
 * forgotten, since there is a default.
 */
function refuseForeign(
  { project }: Topology,
  deployed: string | null,
  { stage, projectDir, env }: PrepareOptions,
): void {
  if (deployed === null || deployed === project || deployed === env.ORGLOOP_REPLACES) return;
  throw new OrgLoopError(
    "CONFIG_INVALID",
    `the stage "${stage}" is of the project ${deployed}, and ${projectDir} is ${project}: ORGLOOP_PROJECT names the folder that is deployed. A second organisation in an account has workspaces of other names; a project that was renamed is deployed with ORGLOOP_REPLACES=${deployed}`,
  );
}

/** The Topology of a workspace that can be deployed. Throws `CONFIG_INVALID`. */
async function readTopology({ projectDir, stage, env, lookup }: PrepareOptions): Promise<Topology> {
  const { topology, errors } = await loadProject({
    path: projectDir,
    workspace: stage,
    env,
    lookup,
  });
  if (topology === null) throw invalid(errors);
  if (topology.bus.url !== "sqs") throw notSqs(topology, stage);
  return topology;
}

function readScripts({ transforms }: Topology, projectDir: string): Map<string, Uint8Array> {
  const paths = transforms.flatMap(({ script }) => script ?? []);
  return new Map(paths.map((path) => [path, readFileSync(join(projectDir, path))]));
}
