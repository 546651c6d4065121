import type { Command, Option } from "commander";
import { commandPath } from "../examples.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What may follow one command. */
interface Words {
  /** `dead-letters list`; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly string[];
  /** Its own options and the global ones. */
  readonly options: readonly Option[];
}

/** The script that completes `orgloop` in a shell, made from the program's own commands. */
export function completionScript(program: Command, shell: Shell): string {
  const all = wordsOf(program, program.options);
  if (shell === "fish") return fishScript(all);
  const script = bashScript(all);
  // zsh runs bash's completions itself.
  return shell === "bash"
    ? script
    : `autoload -Uz compinit bashcompinit\n(( $+functions[compdef] )) || compinit\nbashcompinit\n${script}`;
}

function wordsOf(command: Command, global: readonly Option[]): Words[] {
  const own = command.parent === null ? [] : command.options;
  const options = [...own, ...global].filter(({ hidden }) => !hidden);
  const commands = command.commands.map((one) => one.name());
  const below = command.commands.flatMap((one) => wordsOf(one, global));
  return [{ path: commandPath(command), commands, options }, ...below];
}

const flagsOf = ({ short, long }: Option): string[] =>
  [short, long].filter((flag) => flag !== undefined);

const choicesOf = (all: readonly Words[]): Map<string, string> => {
  const choices = new Map<string, string>();
  for (const { path, options } of all) {
    for (const { long, argChoices } of options) {
      if (long && argChoices) choices.set(`${path}|${long}`, argChoices.join(" "));
    }
  }
  return choices;
};

function bashScript(all: readonly Words[]): string {
  const paths = all.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const words = all.map(({ path, commands, options }) => {
    const offered = [...commands, ...options.flatMap(flagsOf), "--help"].join(" ");
    return `    "${path}") words="${offered}" ;;`;
  });
  const choices = [...choicesOf(all)].map(
    ([key, values]) => `    "${key}") COMPREPLY=($(compgen -W "${values}" -- "$cur")); return ;;`,
  );
  return `# Completes orgloop in bash.
_orgloop() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path="" i next words=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
    ${paths.join(" | ")}) path="$next" ;;
    esac
  done
  case "$path|$prev" in
${choices.join("\n")}
  esac
  case "$path" in
${words.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _orgloop orgloop
`;
}

const quoted = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function fishScript(all: readonly Words[]): string {
  const commands = all.filter((one) => one.path !== "").map((one) => one.path);
  const lines = all.flatMap(({ path, commands: below, options }) => {
    const here = `complete -c orgloop -n ${quoted(`__orgloop_at ${quoted(path)}`)}`;
    return [
      ...(below.length > 0 ? [`${here} -f -a ${quoted(below.join(" "))}`] : []),
      ...options.map((option) => {
        const { short, long, description, argChoices, required } = option;
        return [
          here,
          ...(short ? [`-s ${short.slice(1)}`] : []),
          ...(long ? [`-l ${long.slice(2)}`] : []),
          ...(argChoices ? [`-x -a ${quoted(argChoices.join(" "))}`] : required ? ["-r"] : []),
          `-d ${quoted(description)}`,
        ].join(" ");
      }),
    ];
  });
  return `# Completes orgloop in fish.
function __orgloop_at --description 'Whether the command line has come to this command'
  set -l path
  for word in (commandline -opc)[2..]
    set -l next (string join ' ' $path $word)
    contains -- $next ${commands.map(quoted).join(" ")}; and set path $next
  end
  test "$path" = "$argv[1]"
end
${lines.join("\n")}
`;
}
