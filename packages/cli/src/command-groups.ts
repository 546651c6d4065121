import { DEAD_REASONS } from "@orgloop/sdk";
import { type Command, Option } from "commander";
import { lazy, portOption } from "./lazy-command.ts";

export function addWorkspaces(program: Command): void {
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

export function addConnectors(program: Command): void {
  const connectors = program
    .command("connectors")
    .description("what can be named in `connector`, `type` and `package`");
  connectors
    .command("list")
    .description("connectors, transforms, loggers and modules: OrgLoop's and the project's own")
    .action(lazy(() => import("./commands/connectors-list.ts").then((it) => it.connectorsList)));
  connectors
    .command("show <name>")
    .description("every setting of one, with type, default, description and an example")
    .action(lazy(() => import("./commands/connectors-show.ts").then((it) => it.connectorsShow)));
}

export function addModules(program: Command): void {
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

export function addDeadLetters(program: Command): void {
  const letters = program.command("dead-letters").description("events that were given up");
  const filtered = (name: string): Command =>
    letters
      .command(name)
      .option("--route <name>", "of this route")
      .option("--actor <id>", "of this actor")
      .addOption(new Option("--reason <reason>", "given up for this reason").choices(DEAD_REASONS))
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

export function addScaffolds(program: Command): void {
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

export function addService(program: Command): void {
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

export function addInbox(program: Command): void {
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

export function addWal(program: Command): void {
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

/** Change a stage on AWS. */
export function addStage(program: Command): void {
  const door = (name: string, does: string): Command =>
    program
      .command(name)
      .description(does)
      .addOption(new Option("--with <tool>", "what deploys").choices(["sst"]).default("sst"))
      .option("--force-unlock", "take the lock of a deploy that nobody runs any more");
  door("deploy", "make the stage of the workspace on AWS what the files say").action(
    lazy(() => import("./commands/deploy.ts").then((it) => it.deploy)),
  );
  door("diff", "what a deploy would change: the plan, and CloudFormation's words").action(
    lazy(() => import("./commands/deploy.ts").then((it) => it.diff)),
  );
  door("remove", "take the stage of the workspace down")
    .option("--yes", "do not ask")
    .action(lazy(() => import("./commands/deploy.ts").then((it) => it.remove)));
  const secrets = program.command("secrets").description("the variables of a stage on AWS");
  secrets
    .command("set <name> [value]")
    .description("set one; without a value, or with -, it is read from stdin")
    .action(lazy(() => import("./commands/secrets.ts").then((it) => it.secretsSet)));
  secrets
    .command("list")
    .description("those that the configuration wants, and whether they are set")
    .action(lazy(() => import("./commands/secrets.ts").then((it) => it.secretsList)));
}
