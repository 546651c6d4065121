import type { Command } from "commander";

/** One use of each command, as its help and the manual show it. */
const EXAMPLES: Readonly<Record<string, string>> = {
  init: "orgloop init acme --connectors github",
  validate: "orgloop validate --strict --all-workspaces",
  plan: "orgloop plan --out change.plan",
  apply: "orgloop apply change.plan",
  start: "orgloop start --daemon --port 4801",
  stop: "orgloop stop --all",
  shutdown: "orgloop shutdown",
  status: "orgloop status --watch",
  logs: "orgloop logs --event 3fa9c1d0 --no-follow",
  routes: "orgloop routes",
  inspect: "orgloop inspect route on-record",
  inject: "orgloop inject events.jsonl",
  explain: "orgloop explain 3fa9c1d0 --route on-record",
  test: "orgloop test --coverage --junit results.xml",
  env: "orgloop env check",
  cost: "orgloop cost -w production --assume events_per_source_per_day=500",
  "connectors list": "orgloop connectors list",
  "connectors show": "orgloop connectors show github",
  deploy: "orgloop deploy -w production",
  diff: "orgloop diff -w production",
  remove: "orgloop remove -w staging",
  "secrets set": "orgloop secrets set GITHUB_TOKEN -w production",
  "secrets list": "orgloop secrets list -w production",
  doctor: "orgloop doctor --json",
  replay: "orgloop replay --since 2h --source inbox --dry-run",
  "workspace list": "orgloop workspace list",
  "workspace select": "orgloop workspace select staging",
  "workspace new": "orgloop workspace new staging",
  "workspace delete": "orgloop workspace delete staging --yes",
  "workspace show": "orgloop workspace show production",
  "module list": "orgloop module list",
  "module show": "orgloop module show code-review",
  "module add": "orgloop module add ./modules/reviews --name reviews --param repo=acme/site",
  "dead-letters list": "orgloop dead-letters list --route on-record --since 1d",
  "dead-letters show": "orgloop dead-letters show dl_3fa9c1d0",
  "dead-letters replay": "orgloop dead-letters replay --route on-record --rate 5/s",
  "dead-letters purge": "orgloop dead-letters purge --until 7d --yes",
  "inbox drain": "orgloop inbox drain --key my-session --format text",
  "inbox status": "orgloop inbox status",
  "add connector": "orgloop add connector billing --type actor",
  "add transform": "orgloop add transform tidy",
  "add logger": "orgloop add logger audit",
  "add route": "orgloop add route billing --source inbox --actor records",
  "hook claude-code-stop": "orgloop hook claude-code-stop < stop.json",
  "install-service": "orgloop install-service --systemd",
  "service start": "orgloop service start",
  "service stop": "orgloop service stop",
  "service status": "orgloop service status",
  "service logs": "orgloop service logs",
  "wal verify": "orgloop wal verify",
  "wal repair": "orgloop wal repair",
  "wal stats": "orgloop wal stats --json",
  completion: "orgloop completion bash > ~/.local/share/bash-completion/completions/orgloop",
  version: "orgloop version --json",
};

/** `dead-letters list`: the words of a command below the program. */
export function commandPath(command: Command): string {
  const { parent } = command;
  return parent === null ? "" : `${commandPath(parent)} ${command.name()}`.trim();
}

/** The example of a command; undefined for a group of commands. */
export const exampleOf = (command: Command): string | undefined => EXAMPLES[commandPath(command)];

/** Every command that does something, in the order of the help. */
export function leafCommands(command: Command): Command[] {
  if (command.commands.length === 0) return [command];
  return command.commands.flatMap(leafCommands);
}

/** Adds to the help of each command its example. */
export function addExamples(program: Command): void {
  for (const command of leafCommands(program)) {
    const example = exampleOf(command);
    if (example !== undefined) command.addHelpText("after", `\nExample: ${example}`);
  }
}
