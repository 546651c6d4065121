import { randomBytes } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { replayServer } from "@orgloop/connector-github/replay";
import type { LogEntry } from "@orgloop/sdk";
import { liveTable } from "./live-table.ts";
import { end, orgloop } from "./orgloop.ts";
import { startReceiver } from "./receiver.ts";
import { Report } from "./report.ts";
import { sendRecordings } from "./send-recordings.ts";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));
const project = path.join(checkout, "examples/acme");

const reviewerSecret = `whsec_${randomBytes(24).toString("base64")}`;
const hubSecret = randomBytes(24).toString("hex");
const token = process.env.GITHUB_TOKEN;

const receiver = await startReceiver(reviewerSecret);
const github = token ? undefined : await replayServer();
const env = {
  ...process.env,
  GITHUB_WEBHOOK_SECRET: hubSecret,
  GITHUB_REPO: process.env.GITHUB_REPO ?? "Codertocat/Hello-World",
  GITHUB_API_URL: github?.url ?? "https://api.github.com",
  GITHUB_TOKEN: token ?? "none-needed-by-recordings",
  REVIEWER_URL: receiver.url,
  REVIEWER_SECRET: reviewerSecret,
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const title = (text: string) => say(`\n${styleText("bold", text)}`);

title("Starting examples/acme: one process, events on a write-ahead log");
const startedAt = new Date().toISOString();
const running = orgloop(["start", "--quiet", "--json", "--config", project], env);
const followed: { child?: ReturnType<typeof orgloop> } = {};
let stopping = false;

async function stop(status: number): Promise<never> {
  stopping = true;
  if (followed.child) await end(followed.child);
  await end(running);
  await receiver.close();
  await github?.close();
  process.exit(status);
}

process.on("SIGINT", () => void stop(0));
process.on("SIGTERM", () => void stop(0));
running.once("exit", (code) => {
  if (!stopping) void stop(code ?? 1);
});
const base = await ready();

/** Waits for what `start --json` says once everything runs; returns its address. */
async function ready(): Promise<string> {
  if (running.stdout === null) throw new Error("what the process says is not piped");
  let said = "";
  for await (const line of createInterface(running.stdout)) {
    said += line;
    // The one document ends at its closing brace, which stands alone.
    if (line === "}") break;
  }
  const { port, sources, actors, routes } = JSON.parse(said);
  say(
    `${sources.length} sources, ${actors.length} actors, ${routes.length} routes on port ${port}`,
  );
  return `http://127.0.0.1:${port}`;
}

const report = new Report();
const table = liveTable(process.stdout);
const log = orgloop(["logs", "--config", project, "--format", "jsonl", "--since", startedAt], env);
followed.child = log;
if (log.stdout === null) throw new Error("the log's output is not piped");
const lines = createInterface(log.stdout);
lines.on("line", (text) => {
  report.take(JSON.parse(text) as LogEntry);
  table.show(report.toString());
});

title("Sending GitHub's recorded deliveries, signed, to its webhook; what becomes of them:");
const statuses = await sendRecordings(`${base}/webhook/hub`, hubSecret);
const sent = [...statuses.values()].reduce((sum, count) => sum + count, 0);

// Everything sent has been read from the log, and everything matched has an outcome.
while (report.receivedFrom("hub") < sent || report.pending > 0) await once(lines, "line");

table.end(report.toString());
say(
  `\n${sent} deliveries sent: ${[...statuses].map(([status, count]) => `${count} answered ${status}`).join(", ")}; ` +
    `the HTTP receiver saw ${receiver.seen.size} events, ${[...receiver.seen.values()].filter((times) => times > 1).length} of them twice.`,
);

title("Running on. Ctrl-C drains and stops.");
const config = path.relative(process.cwd(), project) || ".";
say(`  status   npx orgloop status --watch -c ${config}`);
say(`  events   npx orgloop logs -c ${config}`);
say(`  console  ${base}/api/status   metrics ${base}/metrics`);
say("  on disk  examples/acme/out/records.jsonl, examples/acme/out/triage.log");
