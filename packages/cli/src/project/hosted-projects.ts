import type { DaemonOptions, HostedProject } from "@orgloop/node";
import { messageOf } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { announce, type ProcessRecord, withdraw } from "../process/running-process.ts";
import { untilWritten } from "../process/until-written.ts";
import { type RegisteredModule, readRegistry, writeRegistry } from "./module-registry.ts";
import { prepareProject, requestedContext } from "./prepare-project.ts";

export interface HostedProjects {
  /** What the process that hosts them tells us. */
  readonly callbacks: Required<
    Pick<DaemonOptions, "resolve" | "onLoaded" | "onGone" | "onShutdown">
  >;
  /** The process listens there. */
  listens(port: number): void;
  /** It ends by a signal: what it was told to run is run again by the next daemon. */
  interrupted(): void;
  /** What the daemon before was told to run, but for the project `except`. */
  listed(except: string): readonly RegisteredModule[];
  /**
   * Loads what the daemon before was told to run; what cannot be loaded is said, and kept for the
   * next time.
   */
  restore(
    load: (module: RegisteredModule) => Promise<void>,
    except: string,
    onFailed: (name: string, error: unknown) => void,
  ): Promise<void>;
}

/**
 * Keeps the files by which others find the projects of this process: each project's `process.json`
 * and, of a daemon, `modules.json` (v1alpha1, section 11).
 */
export async function hostedProjects(
  context: CommandContext,
  daemon: boolean,
): Promise<HostedProjects> {
  const { home, output } = context;
  const reported = daemon ? await readRegistry(home) : [];
  const live = new Set<string>();
  let port = 0;
  let ending: "interrupted" | "asked" | null = null;
  const { others, register } = registration(reported, daemon ? home : null);
  const listed = (except: string) => reported.filter(({ name }) => name !== except);
  const warn = (error: unknown): void => output.warn(messageOf(error));

  return {
    listens(at) {
      port = at;
    },
    interrupted() {
      ending ??= "interrupted";
    },
    listed,
    async restore(load, except, onFailed) {
      for (const module of listed(except)) {
        await load(module).catch((error) => {
          onFailed(module.name, error);
          output.warn(`the project "${module.name}" was not loaded again: ${messageOf(error)}`);
        });
      }
    },
    callbacks: {
      async resolve(request) {
        return (await prepareProject(requestedContext(context, request))).options;
      },
      async onLoaded(module) {
        const { name, options } = module;
        live.add(name);
        const runs = () => live.has(name);
        const announced = () => announce(home, options.dataDir, recordOf(module, port));
        await untilWritten(announced, runs, output.warn);
        const entry = entryOf(module);
        await untilWritten(() => register([...others(name), entry]), runs, output.warn);
      },
      async onGone(module) {
        live.delete(module.name);
        const last = live.size === 0;
        // A full disk must not keep it from being gone: what is left is told from what runs by its
        // process.
        await withdraw(home, module.options.dataDir, recordOf(module, port), last).catch(warn);
        if (module.failure !== null) {
          output.error(`the project "${module.name}" ended: ${module.failure.message}`);
        } else if (ending !== "interrupted") {
          await register(others(module.name)).catch(warn);
        }
      },
      onShutdown() {
        ending ??= "asked";
      },
    },
  };
}

/** Which projects are to run again; written to `home`, null: nowhere. */
function registration(reported: readonly RegisteredModule[], home: string | null) {
  let registered = reported;
  let written: Promise<void> = Promise.resolve();
  return {
    others: (name: string) => registered.filter((one) => one.name !== name),
    /**
     * Several projects may end at once: one write after the other, whatever became of the one
     * before.
     */
    register(modules: readonly RegisteredModule[]): Promise<void> {
      registered = modules;
      if (home === null) return Promise.resolve();
      const write = written.then(() => writeRegistry(home, registered));
      written = write.catch(() => undefined);
      return write;
    },
  };
}

function recordOf({ name, options }: HostedProject, port: number): ProcessRecord {
  const { projectDir, topology } = options;
  return { pid: process.pid, port, projectDir, workspace: topology.workspace, module: name };
}

function entryOf({ name, options, request }: HostedProject): RegisteredModule {
  const { projectDir: sourceDir, topology } = options;
  return {
    name,
    sourceDir,
    configPath: request?.configPath ?? sourceDir,
    workspace: topology.workspace,
    sources: topology.sources.map(({ id }) => id),
    loadedAt: new Date().toISOString(),
  };
}
