import { appendFile, mkdir } from "node:fs/promises";
import { json } from "node:stream/consumers";

/**
 * Reads an event on standard input and writes to `out/triage.log` which team its issue belongs to.
 */
interface IssueEvent {
  readonly payload: {
    readonly issue: { readonly number: number; readonly title: string };
    readonly repository: { readonly full_name: string };
  };
}

const { payload } = (await json(process.stdin)) as IssueEvent;
const team = /crash|security|typo/i.exec(payload.issue.title)?.[0]?.toLowerCase() ?? "platform";
await mkdir("out", { recursive: true });
await appendFile(
  "out/triage.log",
  `${payload.repository.full_name}#${payload.issue.number} → ${team}: ${payload.issue.title}\n`,
);
