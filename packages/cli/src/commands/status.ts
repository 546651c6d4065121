import { setTimeout as wait } from "node:timers/promises";
import type { StageOptions } from "@orgloop/aws/operate";
import { withoutUserinfo } from "@orgloop/engine";
import type { ProcessStatus } from "@orgloop/node";
import type { Topology } from "@orgloop/sdk";
import { onStage, stageOf } from "../aws/stage.ts";
import { polledThere } from "../aws/stage-intake.ts";
import type { Command, CommandContext } from "../command.ts";
import { CommandError, type ExitStatus } from "../command-error.ts";
import { type DataLocation, locateData, projectName } from "../process/data-directory.ts";
import { callProcess, findProcess } from "../process/running-process.ts";
import { type Status, statusForm } from "../terminal/status-form.ts";
import { statusText } from "../terminal/status-text.ts";
import { wantedVariables } from "./env.ts";

export interface StatusOptions {
  /** Goes on and shows it anew, until Ctrl-C. */
  readonly watch?: boolean;
}

const WATCH_MS = 2_000;

/** `orgloop status`: what runs; where nothing does, what is on disk, and exit status 3. */
export const status: Command<StatusOptions> = async (context, _args, { watch = false }) => {
  if (!watch) return showStatus(context);
  const { flags, output } = context;
  if (flags.json) {
    throw new CommandError("USAGE", "--watch shows a table anew: it does not go with --json");
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const frames = { ...output, result: (_: unknown, text: string) => output.frame(text) };
  let code: ExitStatus = 0;
  while (!stop.signal.aborted) {
    code = await showStatus({ ...context, output: frames });
    await wait(WATCH_MS, undefined, { signal: stop.signal }).catch(() => {});
  }
  return code;
};

async function showStatus(context: CommandContext): Promise<ExitStatus> {
  const located = await locateData(context);
  const stage = stageOf(context, located.project);
  if (stage !== null) return statusOnAws(context, stage, located.project);
  const found = await findProcess(context.home, located.dataDir);
  if (found?.responsive === false) {
    const message = `process ${found.pid} holds ${located.dataDir} but does not answer: it starts, ends or hangs`;
    throw new CommandError("NOT_ANSWERING", message);
  }
  const reported =
    found === null
      ? null
      : await callProcess<ProcessStatus>(context.home, found, "/control/status");
  const report = reported === null ? await statusAtRest(context, located) : statusForm(reported);
  const name = projectName(located.project);
  const where = found ? `process ${found.pid}, port ${found.port}` : located.dataDir;
  const { errors } = located.project;
  const text = context.flags.json
    ? ""
    : statusText(name, where, report, { live: reported, errors });
  context.output.result(report, text);
  return found === null ? 3 : 0;
}

async function statusOnAws(
  { flags, output }: CommandContext,
  options: StageOptions,
  project: DataLocation["project"],
): Promise<ExitStatus> {
  const name = projectName(project);
  const wanted = wantedVariables(project).map((variable) => variable.name);
  await onStage(options, async (stage, { stageStatus, readSetSecrets }) => {
    const set = await readSetSecrets(stage, wanted);
    const unset_secrets = wanted.filter((variable) => !set.has(variable));
    const polled = await polledThere(project, await stage.topology());
    const { draining, missing_queues, ...reported } = await stageStatus(stage, Date.now(), polled);
    const report = {
      ...statusForm(reported),
      ...(draining !== undefined && { draining }),
      ...(missing_queues !== undefined && { missing_queues }),
      ...(unset_secrets.length > 0 && { unset_secrets }),
    };
    if (unset_secrets.length > 0) {
      output.warn(
        `not set in the stage: ${unset_secrets.join(", ")}; \`orgloop secrets set\` does`,
      );
    }
    if (missing_queues !== undefined) {
      const gone = missing_queues.join(", ");
      output.warn(`gone, and what is sent there is not delivered: ${gone}; a deploy makes them`);
    }
    const where = `AWS account ${stage.account}, ${stage.region}`;
    output.result(report, flags.json ? "" : statusText(name, where, report));
  });
  return 0;
}

async function statusAtRest(
  { flags, output }: CommandContext,
  located: DataLocation,
): Promise<Status> {
  const { topology, projectDir } = located.project;
  const { readStoredState } = await import("@orgloop/node");
  const stored = await readStoredState({ topology, projectDir, dataDir: located.dataDir });
  if (stored.damage !== null) output.warn(stored.damage);
  const { sources, actors, routes }: Pick<Topology, "sources" | "actors" | "routes"> = topology ?? {
    sources: [],
    actors: [],
    routes: [],
  };
  return {
    workspace: flags.workspace,
    running: false,
    bus: topology && withoutUserinfo(topology.bus.url),
    uptime_ms: 0,
    sources: sources.map(({ id, connector }) => ({
      id,
      connector,
      state: "stopped",
      checkpoint: stored.checkpoints.get(id) ?? null,
      last_poll_at: null,
      events: 0,
    })),
    routes: routes.map(({ name }) => ({
      name,
      matched: 0,
      delivered: 0,
      failed: 0,
      circuit: "closed",
    })),
    actors: actors.map(({ id, queue_depth }) => ({ id, queued: 0, queue_depth, in_flight: 0 })),
    unacked: stored.unacked,
    dead_letters: stored.deadLetters,
  };
}
