import { Argument, Command, Option } from "commander";
import { cliVersion } from "./cli-version.ts";
import {
  addConnectors,
  addDeadLetters,
  addInbox,
  addModules,
  addScaffolds,
  addService,
  addStage,
  addWal,
  addWorkspaces,
} from "./command-groups.ts";
import { addExamples } from "./examples.ts";
import { lazy, portOption } from "./lazy-command.ts";
import { SHELLS } from "./manual/completion-script.ts";

/**
 * The commands, their arguments and flags. What a command does is imported only when it runs:
 * start-up time counts.
 */
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
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    // main.ts reports errors, in JSON where asked for.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError();

  addConfiguration(program);
  addProcess(program);
  addViews(program);
  addEvents(program);
  addConnectors(program);
  addWorkspaces(program);
  addModules(program);
  addDeadLetters(program);
  addInbox(program);
  addScaffolds(program);
  addService(program);
  addStage(program);
  addWal(program);
  program
    .command("completion")
    .description("what a shell reads to complete commands and options")
    .addArgument(new Argument("<shell>", "of this shell").choices(SHELLS))
    .action(lazy(() => import("./commands/completion.ts").then((it) => it.completion(program))));
  program
    .command("version")
    .description("version of orgloop, Node and platform")
    .action(lazy(() => import("./commands/version.ts").then((it) => it.version)));
  addExamples(program);
  return program;
}

/** Write, check and apply a configuration. */
function addConfiguration(program: Command): void {
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
    .option("--strict", "warnings are errors")
    .option("--all-workspaces", "resolve each workspace, not the selected one alone")
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
}

/** Run a project. */
function addProcess(program: Command): void {
  program
    .command("start")
    .description("run the project; --daemon in the background")
    .option("--daemon", "run in the background")
    .option("--supervised", "with --daemon: run it again where it crashes")
    .option("--force", "start whatever `doctor` says (it is not asked)")
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
    .option("--watch", "go on, and show it anew every 2 s")
    .action(lazy(() => import("./commands/status.ts").then((it) => it.status)));
}

/** See what there is, and what happens. */
function addViews(program: Command): void {
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
}

/** Put events in, and try them out. */
function addEvents(program: Command): void {
  program
    .command("inject <file>")
    .description("put events (JSON, JSONL; - is stdin) on the bus")
    .action(lazy(() => import("./commands/inject.ts").then((it) => it.inject)));
  program
    .command("explain <file|event-id>")
    .description("why each route takes an event or not; what happened to one that came")
    .option("--route <name>", "only this route")
    .option("--all", "all routes that name the event's source, not the first 20")
    .action(lazy(() => import("./commands/explain.ts").then((it) => it.explain)));
  program
    .command("test [path]")
    .description("run the tests (*.test.yaml) of a project, module, folder or file; no network")
    .option("--filter <text>", "only tests with this in their name")
    .option("--coverage", "name the routes that no test reaches")
    .option("--junit <file>", "write the results for CI, in JUnit's XML")
    .option("--dry-run", "with EVENT.json or -: only say where the event would go")
    .option("--generate <kind>", "print an event of this kind: github, linear, claude-code")
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
}
