import type { ExitStatus } from "./command-error.ts";
import type { Output } from "./terminal/output.ts";

/** The flags every command takes, before or after its name (`docs/commands.md`, Everywhere). */
export interface GlobalFlags {
  /**
   * A project directory or its `orgloop.yaml`, absolute. Default: `ORGLOOP_CONFIG`, else the
   * working directory.
   */
  readonly config: string;
  /** Whether the project was named, rather than taken from the working directory. */
  readonly configGiven: boolean;
  readonly workspace: string;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** What a command may use of the world. */
export interface CommandContext {
  readonly flags: GlobalFlags;
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  /** `ORGLOOP_HOME`, else `~/.orgloop`; absolute. */
  readonly home: string;
}

/** One command: its positional arguments and its own options, as commander parsed them. */
export type Command<Options = Record<string, never>> = (
  context: CommandContext,
  args: readonly string[],
  options: Options,
) => Promise<ExitStatus>;
