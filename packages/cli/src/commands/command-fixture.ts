import type { CommandContext } from "../command.ts";

export interface Said {
  readonly texts: string[];
  readonly answers: Record<string, unknown>[];
  readonly warnings: string[];
}

/** What a command is called with, and what it then says. */
export function recordedContext({
  project,
  home,
  workspace,
}: {
  readonly project: string;
  readonly home: string;
  readonly workspace: string;
}): { readonly context: CommandContext; readonly said: Said } {
  const said: Said = { texts: [], answers: [], warnings: [] };
  const context: CommandContext = {
    flags: {
      config: project,
      configGiven: true,
      workspace,
      verbose: false,
      json: false,
      quiet: false,
    },
    env: {},
    home,
    output: {
      answered: false,
      result: (json, text) => {
        said.answers.push(json as Record<string, unknown>);
        said.texts.push(text);
      },
      write() {},
      frame: (text) => void said.texts.push(text),
      note() {},
      progress() {},
      warn: (text) => void said.warnings.push(text),
      error() {},
      style: (_, text) => text,
      noteStyle: (_, text) => text,
      confirm: async () => null,
    },
  };
  return { context, said };
}
