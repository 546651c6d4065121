import type { ChildProcess } from "node:child_process";

/** One way of an event, in a process of its own. */
export interface Journey {
  readonly title: string;
  /** Arguments of the Node that is watched. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Resolves when `child` can take an event. */
  ready(child: ChildProcess): Promise<void>;
  /** Has the `number`-th event go all the way, counted from 1. */
  send(child: ChildProcess, number: number): Promise<void>;
  end(): Promise<void>;
}
