import { messageOf } from "@orgloop/sdk";
import type { ModuleStatus } from "../telemetry/status.ts";

/** A project that the process is told to run and that does not run yet, or could not be opened. */
export interface ListedProject {
  readonly name: string;
  /** Ids of its sources, as far as they are known before it is read. */
  readonly sources: readonly string[];
}

interface WaitingModule extends ListedProject {
  /** Null: it is being opened. */
  readonly failure: string | null;
}

/** Projects of which webhooks are to come again: they start, or somebody has to mend them. */
export interface WaitingProjects {
  has(name: string): boolean;
  starting(module: ListedProject): void;
  failed(name: string, error: unknown): void;
  /** It runs, or is wanted no more. */
  done(name: string): void;
  status(): readonly ModuleStatus[];
  /**
   * Why a webhook for a source that no open project has should be sent again; null: there is no
   * such source.
   */
  refusal(source: string): string | null;
}

export function waitingProjects(): WaitingProjects {
  const waiting = new Map<string, WaitingModule>();
  return {
    has: (name) => waiting.has(name),
    starting({ name, sources }) {
      const known = sources.length > 0 ? sources : (waiting.get(name)?.sources ?? []);
      waiting.set(name, { name, sources: known, failure: null });
    },
    failed(name, error) {
      const sources = waiting.get(name)?.sources ?? [];
      waiting.set(name, { name, sources, failure: messageOf(error) });
    },
    done(name) {
      waiting.delete(name);
    },
    status: () =>
      [...waiting.values()].map(({ name, sources, failure }) => ({
        name,
        state: failure === null ? "starting" : "failed",
        ...(failure !== null && { error: failure }),
        sources: sources.length,
        routes: 0,
        actors: 0,
        uptime_ms: 0,
      })),
    refusal(source) {
      const all = [...waiting.values()];
      const own = all.find(({ sources }) => sources.includes(source));
      if (own !== undefined && own.failure !== null) {
        return `the project "${own.name}", whose source this is, could not be opened`;
      }
      // Which sources a project has is only certain when it is open.
      const starting = own ?? all.find(({ failure }) => failure === null);
      return starting === undefined ? null : `the project "${starting.name}" is starting`;
    },
  };
}
