import { Command, Option } from "commander";
import { cliVersion } from "./cli-version.ts";
import type { Command as Run } from "./command.ts";
import { type RawFlags, runCommand } from "./run-command.ts";

/** The commands, their arguments and flags. What a command does is imported only when it runs: start-up time counts. */
export function orgloopProgram(): Command {
  const program = new Command("orgloop")
    .description("Routes an organisation's events to its people and agents, from YAML.")
    .version(cliVersion(), "-V, --version")
    .option("-c, --config <path>", "project directory or its orgloop.yaml")
    .option("-w, --workspace <name>", "workspace (default: the selected one)")
    .option("-v, --verbose", "say more; errors show their stack")
    .option("--json", "one JSON document on stdout")
    .option("--quiet", "no progress")
    .option("--no-color", "no colours")
    .exitOverride()
    // main.ts reports errors, in JSON where asked for.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError();

  program
    .command("init [dir]")
    .description("a project that validates and starts as it stands")
    .option("--name <name>", "the project's name (default: the directory's)")
    .option("--description <text>", "one line about the project")
    .option("--connectors <list>", "connectors to wire besides, e.g. github,exec")
    .option("--dir <dir>", "the same as [dir]")
    .option("--aws", "with what deploying to AWS needs")
    .option("--no-interactive", "ask nothing (nothing is ever asked)")
    .action(lazy(() => import("./commands/init.ts").then((it) => it.init)));
  program
    .command("validate")
    .description("every error and warning of the configuration")
    .action(lazy(() => import("./commands/validate.ts").then((it) => it.validate)));
  program
    .command("plan")
    .description("what was applied → what the files say")
    .option("--out <file>", "save the plan, for apply")
    .option(
      "--events [file]",
      "which recorded events (JSONL; default: the system's own) would be routed otherwise",
    )
    .option("--detailed-exitcode", "exit 0: no changes, 1: error, 2: changes")
    .action(lazy(() => import("./commands/plan.ts").then((it) => it.plan)));
  program
    .command("apply [file]")
    .description("make the running process what the files, or a saved plan, say")
    .action(lazy(() => import("./commands/apply.ts").then((it) => it.apply)));
  program
    .command("start")
    .description("run the project; --daemon in the background")
    .option("--daemon", "run in the background")
    .addOption(portOption())
    .addOption(new Option("--role <role>", "what this process does").choices(["all"]))
    .action(lazy(() => import("./commands/start.ts").then((it) => it.start)));
  program
    .command("stop")
    .description("drain and stop the running process")
    .option("--all", "the daemon, with every project that it runs")
    .option("--force", "kill it where it has not stopped after 10 s")
    .action(lazy(() => import("./commands/stop.ts").then((it) => it.stop)));
  program
    .command("shutdown")
    .description("drain and stop the daemon, with every project that it runs: stop --all")
    .option("--force", "kill it where it has not stopped after 10 s")
    .action(lazy(() => import("./commands/stop.ts").then((it) => it.shutdown)));
  program
    .command("status")
    .description("what runs: sources, routes, actors")
    .action(lazy(() => import("./commands/status.ts").then((it) => it.status)));
  program
    .command("logs")
    .description("the event log")
    .option("--source <id>", "of this source")
    .option("--route <name>", "of this route")
    .option("--event-type <type>", "of this event type")
    .option("--result <result>", "with this result")
    .option("--event <id>", "of this event id or trace id")
    .option("--phase <phase>", "of this phase, or its first part: deliver")
    .option("--since <time>", "from then on: 15m, 2h, or ISO 8601")
    .addOption(
      new Option("--format <format>", "lines for people or JSON").choices(["human", "jsonl"]),
    )
    .option("--no-follow", "end at the end of the log")
    .action(lazy(() => import("./commands/logs.ts").then((it) => it.logs)));
  program
    .command("routes")
    .description("the topology: from which source over which route to which actor")
    .action(lazy(() => import("./commands/routes.ts").then((it) => it.routes)));
  program
    .command("inspect <kind> <name>")
    .description("one source, actor, route, transform or logger, with the place of every value")
    .action(lazy(() => import("./commands/inspect.ts").then((it) => it.inspect)));
  program
    .command("inject <file>")
    .description("put events (JSON, JSONL; - is stdin) on the bus")
    .action(lazy(() => import("./commands/inject.ts").then((it) => it.inject)));
  program
    .command("test [path]")
    .description("run the tests (*.test.yaml) of a project, module, folder or file; no network")
    .option("--filter <text>", "only tests with this in their name")
    .addHelpText("after", "\nWith EVENT.json or -: put one event on the bus (as inject).")
    .action(lazy(() => import("./commands/test.ts").then((it) => it.test)));
  program
    .command("env [check]")
    .description("the variables wanted, where, and whether set; `check` exits 1 where one is not")
    .action(lazy(() => import("./commands/env.ts").then((it) => it.env)));
  program
    .command("cost")
    .description("the estimated monthly cost of a workspace on AWS")
    .option(
      "--assume <pairs...>",
      "NAME=NUMBER of what is assumed, e.g. events_per_source_per_day=500",
    )
    .action(lazy(() => import("./commands/cost.ts").then((it) => it.cost)));
  program
    .command("doctor")
    .description("the health of the set-up: exits 0 ok, 1 degraded, 2 error")
    .addOption(portOption())
    .action(lazy(() => import("./commands/doctor.ts").then((it) => it.doctor)));
  program
    .command("replay")
    .description("route recorded events anew, marked as replays")
    .option("--event <ids...>", "these events")
    .option("--since <time>", "routed from then on: 15m, 2h, or ISO 8601")
    .option("--until <time>", "routed up to then")
    .option("--source <id>", "of this source")
    .option("--route <name>", "only to this route")
    .option("--dry-run", "only count them")
    .option("--rate <rate>", "at most so many: 5/s, 10/m")
    .action(lazy(() => import("./commands/replay.ts").then((it) => it.replay)));
  addWorkspaces(program);
  addModules(program);
  addDeadLetters(program);
  addInbox(program);
  addScaffolds(program);
  addService(program);
  addWal(program);
  program
    .command("version")
    .description("version of orgloop, Node and platform")
    .action(lazy(() => import("./commands/version.ts").then((it) => it.version)));
  return program;
}

function addWorkspaces(program: Command): void {
  const workspace = program.command("workspace").description("environments of one project");
  workspace
    .command("list")
    .description("the workspaces; * marks the selected one")
    .action(lazy(() => import("./commands/workspace-list.ts").then((it) => it.workspaceList)));
  workspace
    .command("select <name>")
    .description("what commands mean where --workspace does not say")
    .action(lazy(() => import("./commands/workspace-select.ts").then((it) => it.workspaceSelect)));
  workspace
    .command("new <name>")
    .description("write workspaces/NAME.yaml")
    .action(lazy(() => import("./commands/workspace-new.ts").then((it) => it.workspaceNew)));
  workspace
    .command("delete <name>")
    .description("delete its state and its file; asks where events would be lost")
    .option("--yes", "do not ask")
    .option("--force", "the same")
    .action(lazy(() => import("./commands/workspace-delete.ts").then((it) => it.workspaceDelete)));
  workspace
    .command("show [name]")
    .description("settings, variables and overrides, each with its file and line; its state")
    .action(lazy(() => import("./commands/workspace-show.ts").then((it) => it.workspaceShow)));
}

function addModules(program: Command): void {
  const module = program.command("module").description("bundles of routes, with parameters");
  module
    .command("list")
    .description("the instances, and what they expand to")
    .action(lazy(() => import("./commands/module-list.ts").then((it) => it.moduleList)));
  module
    .command("show <instance>")
    .description("its parameters and items, each value with the place it came from")
    .action(lazy(() => import("./commands/module-show.ts").then((it) => it.moduleShow)));
  module
    .command("add <package|path>")
    .description("install a module and write it into orgloop.yaml")
    .option("--name <name>", "the instance's name (default: the module's)")
    .option("--param <name=value>", "a parameter; may be repeated", collect)
    .option("--team <team>", "write it into teams/TEAM/team.yaml")
    .action(lazy(() => import("./commands/module-add.ts").then((it) => it.moduleAdd)));
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function addDeadLetters(program: Command): void {
  const letters = program.command("dead-letters").description("events that were given up");
  const filtered = (name: string): Command =>
    letters
      .command(name)
      .option("--route <name>", "of this route")
      .option("--actor <id>", "of this actor")
      .option("--reason <reason>", "given up for this reason")
      .option("--since <time>", "last attempted from then on: 15m, 2h, or ISO 8601")
      .option("--until <time>", "last attempted up to then");
  filtered("list")
    .description("the letters, oldest first")
    .action(lazy(() => import("./commands/dead-letters-list.ts").then((it) => it.deadLettersList)));
  letters
    .command("show <id>")
    .description("one letter, with its event")
    .action(lazy(() => import("./commands/dead-letters-show.ts").then((it) => it.deadLettersShow)));
  filtered("replay [ids...]")
    .description("deliver them again; a letter goes when its delivery has succeeded")
    .option("--dry-run", "only count them")
    .option("--rate <rate>", "at most so many: 5/s, 10/m")
    .action(
      lazy(() => import("./commands/dead-letters-replay.ts").then((it) => it.deadLettersReplay)),
    );
  filtered("purge [ids...]")
    .description("delete them for good; asks first")
    .option("--yes", "do not ask")
    .action(
      lazy(() => import("./commands/dead-letters-purge.ts").then((it) => it.deadLettersPurge)),
    );
}

function addScaffolds(program: Command): void {
  const command = program
    .command("add")
    .description("a file to go on from, listed in the manifest");
  const addition = (kind: "connector" | "transform" | "logger" | "route"): Command =>
    command
      .command(`${kind} <name>`)
      .description(`a ${kind}`)
      .action(lazy(() => import("./commands/add.ts").then((it) => it.add(kind))));
  addition("connector").addOption(
    new Option("--type <type>", "which side").choices(["source", "actor"]).default("source"),
  );
  addition("transform").addOption(
    new Option("--type <type>", "what it is").choices(["script", "package"]).default("script"),
  );
  addition("logger");
  addition("route")
    .option("--source <id>", "its source (default: the first)")
    .option("--actor <id>", "its actor (default: the first)");
}

function addService(program: Command): void {
  program
    .command("hook")
    .description("hand on what a tool's hook says")
    .command("claude-code-stop")
    .description("Claude Code's stop hook: stdin to the source claude-code")
    .addOption(portOption())
    .action(lazy(() => import("./commands/hook.ts").then((it) => it.claudeCodeStop)));
  program
    .command("install-service")
    .description("run the project as a service of this user")
    .option("--launchd", "a LaunchAgent (default on macOS)")
    .option("--systemd", "a user unit (default elsewhere)")
    .option("--docker", "a Dockerfile and a docker-compose.yaml in the project")
    .action(lazy(() => import("./commands/install-service.ts").then((it) => it.installService)));
  const service = program.command("service").description("the installed service");
  for (const action of ["start", "stop", "status", "logs"] as const) {
    service
      .command(action)
      .description(`${action} of the service`)
      .action(lazy(() => import("./commands/service.ts").then((it) => it.service(action))));
  }
}

function addInbox(program: Command): void {
  const inbox = program.command("inbox").description("events that an agent fetches itself");
  inbox
    .command("drain")
    .description("fetch a session's events; they are gone from the inbox then")
    .requiredOption("--key <session_key>", "the session")
    .option("--limit <n>", "at most so many (default: the route's inbox_max_batch)")
    .addOption(
      new Option("--format <format>", "JSON, or lines for people")
        .choices(["json", "text"])
        .default("json"),
    )
    .action(lazy(() => import("./commands/inbox-drain.ts").then((it) => it.inboxDrain)));
  inbox
    .command("status")
    .description("how many events wait, by session")
    .option("--key <session_key>", "only of this session")
    .action(lazy(() => import("./commands/inbox-status.ts").then((it) => it.inboxStatus)));
}

function addWal(program: Command): void {
  const wal = program.command("wal").description("the file bus's log");
  wal
    .command("verify")
    .description("read every line and check it")
    .action(lazy(() => import("./commands/wal-verify.ts").then((it) => it.walVerify)));
  wal
    .command("repair")
    .description("cut what cannot be read; shows first what would be lost")
    .option("--yes", "do not ask")
    .action(lazy(() => import("./commands/wal-repair.ts").then((it) => it.walRepair)));
  wal
    .command("stats")
    .description("segments, bytes, events")
    .action(lazy(() => import("./commands/wal-stats.ts").then((it) => it.walStats)));
}

function portOption(): Option {
  return new Option("--port <n>", "port on 127.0.0.1; 0 takes a free one").default(
    undefined,
    "ORGLOOP_PORT or 4800",
  );
}

/** Turns a command's import into what commander calls: positional arguments, then options, then the command. */
function lazy<Options>(load: () => Promise<Run<Options>>) {
  return async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command;
    const options = received.at(-2) as Options;
    const run = await load();
    await runCommand(run, rootFlags(command), command.args, options);
  };
}

function rootFlags(command: Command): RawFlags {
  return command.parent === null ? command.opts() : rootFlags(command.parent);
}
