import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openFileBus } from "@orgloop/bus/file";
import { loadProject, topologyHash } from "@orgloop/config";
import { CheckedLines, nodeFileSystem } from "@orgloop/files";
import { writeAppliedState } from "@orgloop/stores";
import { expect, onTestFinished, test } from "vitest";
import { recordedContext } from "./command-fixture.ts";
import { plan } from "./plan.ts";
import { status } from "./status.ts";
import { walVerify } from "./wal-verify.ts";
import { workspaceDelete } from "./workspace-delete.ts";

const MANIFEST = `apiVersion: orgloop/v1alpha1
kind: Project
metadata:
  name: acme
`;

const ROUTED = `sources:
  - { id: hook, connector: "@orgloop/connector-webhook", config: { secret: "\${HOOK}" } }
actors:
  - { id: out, connector: "@orgloop/connector-console" }
routes:
  - { name: all, when: { source: hook, events: [resource.changed] }, then: { actor: out } }
`;

/** A project with a workspace, what it has on disk, and what the commands say. */
async function stoppedProject(workspace: string) {
  const root = await mkdtemp(path.join(tmpdir(), "orgloop-damaged-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [project, home] = [path.join(root, "acme"), path.join(root, "home")];
  await mkdir(path.join(project, "workspaces"), { recursive: true });
  await writeFile(path.join(project, "orgloop.yaml"), MANIFEST);
  const file = "apiVersion: orgloop/v1alpha1\nkind: Workspace\nmetadata:\n  name: staging\n";
  await writeFile(path.join(project, "workspaces/staging.yaml"), file);
  const data =
    workspace === "default"
      ? path.join(home, "data")
      : path.join(home, "workspaces", workspace, "data");
  const bus = await openFileBus({ dir: path.join(data, "wal") });
  for (const n of [1, 2, 3]) {
    await bus.publish({
      id: `evt_${n}`,
      timestamp: "2026-11-01T00:00:00.000Z",
      source: "hook",
      type: "resource.changed",
      provenance: { platform: "test" },
      payload: { n },
      trace_id: `trc_${n}`,
      module: "acme",
    });
  }
  await bus.close();
  const { context, said } = recordedContext({ project, home, workspace });
  return { project, data, context, said };
}

async function writeLines(file: string, bodies: readonly string[]): Promise<void> {
  const lines = await CheckedLines.open({
    path: file,
    fileSystem: nodeFileSystem,
    begin: () => () => {},
    upgrade: () => null,
    loss: () => "",
    advice: "",
    warn() {},
  });
  await lines.append(bodies, { durable: true });
  await lines.close();
}

async function damageLog(data: string): Promise<void> {
  const wal = path.join(data, "wal");
  const [segment = ""] = (await readdir(wal)).filter((name) => name.endsWith(".jsonl")).sort();
  const file = path.join(wal, segment);
  await writeFile(file, (await readFile(file, "utf8")).replace('"n":2', '"n":9'));
}

test("status of a stopped project with a damaged log says so, and shows the rest", async () => {
  const { data, context, said } = await stoppedProject("default");
  expect(await status(context, [], {})).toBe(3);
  expect(said.answers[0]).toMatchObject({ running: false, unacked: 3, dead_letters: 0 });
  await damageLog(data);
  expect(await status(context, [], {})).toBe(3);
  expect(said.answers[1]).toMatchObject({ running: false, unacked: null, dead_letters: 0 });
  expect(said.texts[1]).toContain("its log is damaged, 0 dead letters");
  expect(said.warnings).toEqual([expect.stringContaining("wal repair")]);
});

test("a workspace with a damaged log can be deleted, and what is asked says that it is damaged", async () => {
  const { data, context, said } = await stoppedProject("staging");
  await damageLog(data);
  const onDefault = { ...context, flags: { ...context.flags, workspace: "default" } };
  await expect(workspaceDelete(onDefault, ["staging"], {})).rejects.toThrow(
    /"staging" has a damaged event log .*`orgloop wal verify` says where/,
  );
  expect(await workspaceDelete(onDefault, ["staging"], { force: true })).toBe(0);
  expect(said.answers.at(-1)).toMatchObject({ deleted: true, unsettled: null });
});

test("wal verify tells of the stores beside the log, too", async () => {
  const { data, context, said } = await stoppedProject("default");
  expect(await walVerify(context, [], {})).toBe(0);
  expect(said.answers[0]).toMatchObject({ ok: true, stores: { lines: 0, problems: [], kept: [] } });
  expect(said.texts[0]?.split("\n")).toEqual([
    expect.stringMatching(/^\d+ lines, \d+ bytes in 1 segments of .*: sound$/),
    "0 lines of dead letters, inboxes, claims, repeats and routes: sound",
  ]);
  const letters = path.join(data, "dead-letters/dead-letters.jsonl");
  await mkdir(path.dirname(letters));
  await writeLines(letters, ['{"removed":["1"]}', '{"removed":["2"]}']);
  await writeFile(letters, (await readFile(letters, "utf8")).replace('["1"]', '["7"]'));
  expect(await walVerify(context, [], {})).toBe(1);
  expect(said.answers[1]).toMatchObject({
    ok: false,
    problems: [],
    stores: { problems: [expect.stringContaining("dead-letters.jsonl:2")] },
  });
  expect(said.texts[1]).toContain("names what is lost and goes on with the rest");
  expect(said.texts[1]).not.toContain("wal repair");
});

test("plan of a stopped project with a damaged log compares, and says what it does not know", async () => {
  const { project, data, context, said } = await stoppedProject("default");
  const manifest = path.join(project, "orgloop.yaml");
  await writeFile(manifest, `${MANIFEST}${ROUTED}`);
  const { topology } = await loadProject({ path: project, env: {} });
  if (topology === null) throw new Error("it is valid");
  const applied_at = "2026-11-01T00:00:00.000Z";
  const hash = topologyHash(topology);
  await writeAppliedState(data, { format_version: "1.0", serial: 1, hash, applied_at, topology });
  await writeFile(manifest, MANIFEST);
  const removed = { summary: { add: 0, change: 0, remove: 3 } };
  expect(await plan(context, [], {})).toBe(0);
  expect(said.texts[0]).toMatch(/route.*3 events queued/);
  await damageLog(data);
  expect(await plan({ ...context, flags: { ...context.flags, json: true } }, [], {})).toBe(0);
  expect(said.answers[1]).toMatchObject({
    ...removed,
    destructive: [
      { kind: "actor", name: "out", queued: null },
      { kind: "route", name: "all", queued: null },
    ],
  });
  expect(await plan(context, [], {})).toBe(0);
  expect(said.texts[2]).toContain("route all: what waits there is not known: the log is damaged");
  expect(said.warnings).toContainEqual(expect.stringMatching(/is not known: .*wal repair/s));
});
