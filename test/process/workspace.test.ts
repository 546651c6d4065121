import { existsSync } from "node:fs";
import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { openFileBus } from "@orgloop/bus/file";
import { fileInbox } from "@orgloop/stores";
import { sampleInboxEntry, testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { initProject } from "./init-project.ts";

const acme = initProject();
const { run, start } = acme;

async function json(...args: string[]) {
  const { code, answer } = await acme.json(...args);
  return { code, answer };
}

test("a workspace is written, listed, selected, shown, run in and deleted; its state is its own", async () => {
  expect(await run("workspace", "list")).toMatchObject({ code: 0, stdout: "* default\n" });
  expect(await json("workspace", "new", "staging")).toEqual({
    code: 0,
    answer: { workspace: "staging", file: "workspaces/staging.yaml" },
  });
  const file = path.join(acme.project, "workspaces/staging.yaml");
  expect(await readFile(file, "utf8")).toMatch(
    /^# yaml-language-server: \$schema=\.\.\/\.orgloop\/schemas\/workspace\.json\n/,
  );
  expect(await run("workspace", "new", "staging")).toMatchObject({
    code: 1,
    stderr: 'error: there is already a workspace "staging": workspaces/staging.yaml\n',
  });
  expect(await run("workspace", "select", "stagin")).toMatchObject({
    code: 1,
    stderr: 'error: there is no workspace "stagin": did you mean "staging"?\n',
  });
  expect(await run("workspace", "select", "staging")).toMatchObject({
    code: 0,
    stdout: 'Switched to workspace "staging"\n',
  });
  expect(await run("workspace", "list")).toMatchObject({ stdout: "  default\n* staging\n" });

  await appendFile(
    file,
    "defaults: { poll_interval: 7s }\nroutes: { tell-urgent: { enabled: false } }\n",
  );
  const { answer: shown } = await json("workspace", "show");
  expect(shown).toMatchObject({ workspace: "staging", current: true, running: false, state: null });
  expect(shown.settings).toContainEqual({
    path: "defaults.poll_interval",
    value: "7s",
    origin: expect.objectContaining({ file: "workspaces/staging.yaml" }),
  });
  expect(shown.settings).toContainEqual({
    path: "bus.url",
    value: "file",
    origin: expect.objectContaining({ file: "orgloop.yaml" }),
  });
  expect(shown.overrides).toEqual([
    {
      path: "routes.tell-urgent.enabled",
      value: false,
      origin: expect.objectContaining({ file: "workspaces/staging.yaml" }),
    },
  ]);

  const started = await start();
  const data = path.join(acme.root, "home/workspaces/staging/data");
  expect(existsSync(path.join(data, "owner.json"))).toBe(true);
  expect(existsSync(path.join(acme.root, "home/data"))).toBe(false);
  expect((await json("status")).answer).toMatchObject({ workspace: "staging", running: true });
  expect((await json("status", "-w", "default")).answer).toMatchObject({
    workspace: "default",
    running: false,
  });
  expect(await run("workspace", "delete", "staging")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"staging" is the selected workspace'),
  });
  await run("workspace", "select", "default");
  expect(await run("workspace", "delete", "staging")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('runs in the workspace "staging": `orgloop stop -w staging`'),
  });
  expect(await started.end("SIGTERM")).toBe(0);

  const bus = await openFileBus({ dir: path.join(data, "wal") });
  await bus.publish(testEvent({ source: "inbox" }));
  await bus.close();
  const inbox = await fileInbox({ dir: path.join(data, "inbox") });
  await inbox.put(sampleInboxEntry(1));
  await inbox.close();
  const refused = await run("workspace", "delete", "staging");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toMatch(
    /1 unsettled event and 0 dead letters, 1 event in inboxes: --force deletes them/,
  );
  expect(existsSync(path.join(data, "wal"))).toBe(true);
  expect(await json("workspace", "delete", "staging", "--force")).toEqual({
    code: 0,
    answer: {
      deleted: true,
      workspace: "staging",
      state: data,
      file: "workspaces/staging.yaml",
      unsettled: 1,
      dead_letters: 0,
      inbox: 1,
    },
  });
  expect(existsSync(file)).toBe(false);
  expect(await readdir(path.join(acme.root, "home/workspaces"))).toEqual([]);
  expect(await run("workspace", "list")).toMatchObject({ stdout: "* default\n" });
});

test("what cannot be deleted, and a selection whose file is gone", async () => {
  expect(await run("workspace", "delete", "default")).toMatchObject({ code: 1 });
  expect(await run("workspace", "delete", "none")).toMatchObject({
    code: 1,
    stderr: 'error: there is no workspace "none"; workspaces: default\n',
  });
  expect(await run("workspace", "new", "../out")).toMatchObject({ code: 1 });
  await run("workspace", "new", "a");
  await run("workspace", "select", "a");
  await rm(path.join(acme.project, "workspaces/a.yaml"));
  expect(await run("validate")).toMatchObject({
    code: 2,
    stdout: expect.stringContaining('there is no workspace "a"'),
  });
  expect(await run("workspace", "list")).toMatchObject({
    stdout: "  default\n* a  (its file is gone)\n",
  });
  expect(await run("workspace", "select", "default")).toMatchObject({ code: 0 });
  expect(await run("validate")).toMatchObject({ code: 0 });
});

test("a data directory that the manifest names for all workspaces is not deleted with one of them", async () => {
  const manifest = path.join(acme.project, "orgloop.yaml");
  const text = await readFile(manifest, "utf8");
  await writeFile(manifest, text.replace("defaults:\n", "defaults:\n  data_dir: ./state\n"));
  const started = await start();
  await started.end("SIGTERM");
  await run("workspace", "new", "b");
  const deleted = await run("workspace", "delete", "b");
  expect(deleted).toMatchObject({ code: 0, stderr: expect.stringContaining("was left") });
  expect(existsSync(path.join(acme.project, "state/state.json"))).toBe(true);
  expect(existsSync(path.join(acme.project, "workspaces/b.yaml"))).toBe(false);
});
