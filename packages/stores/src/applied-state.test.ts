import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCheckedJson } from "@orgloop/files";
import type { Topology } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import { type AppliedState, readAppliedState, writeAppliedState } from "./applied-state.ts";

const topology: Topology = {
  project: "acme",
  workspace: "default",
  bus: { url: "file" },
  defaults: { ...SAMPLE_DEFAULTS, log_level: "info", checkpoint: { store: "file" } },
  sources: [],
  actors: [],
  routes: [],
  transforms: [],
  loggers: [],
};

const state: AppliedState = {
  format_version: "1.0",
  serial: 7,
  hash: "a".repeat(64),
  applied_at: "2026-01-02T03:04:05.000Z",
  topology,
};

async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "orgloop-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

test("nothing was applied where there is no file; what was written is read, by its owner only", async () => {
  const dir = await directory();
  expect(await readAppliedState(dir)).toBeNull();
  await writeAppliedState(dir, { ...state, serial: 6 });
  await writeAppliedState(dir, state);
  expect(await readAppliedState(dir)).toEqual(state);
  expect((await stat(join(dir, "state.json"))).mode & 0o777).toBe(0o600);
});

test.each([
  ["{", "JSON"],
  ['{\n  "serial":\n  oops\n}', 'oops }" is not valid JSON'],
  ["null", "it has no checksum"],
  [JSON.stringify({ ...state, format_version: "2.0" }), 'found "2.0", expected "1.0"'],
  [JSON.stringify({ ...state, serial: 0 }), "expected serial"],
  [JSON.stringify({ ...state, topology: { ...topology, routes: null } }), "expected serial"],
])("a file that cannot be understood is an error that says what to do: %s", async (text, said) => {
  const dir = await directory();
  const object = text.startsWith("{") && text.endsWith("}") && !text.includes("oops");
  const written = object ? encodeCheckedJson(JSON.parse(text)) : text;
  await writeFile(join(dir, "state.json"), written);
  const error = await readAppliedState(dir).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "STATE_UNREADABLE" });
  expect(error.message).toContain(join(dir, "state.json"));
  expect(error.message).toContain(said);
  expect(error.message).toContain("delete it");
  expect(error.message).not.toContain("\n");
});

test("a file that was edited by hand is an error, also without its checksum", async () => {
  const dir = await directory();
  const file = join(dir, "state.json");
  await writeAppliedState(dir, state);
  const text = await readFile(file, "utf8");
  const said = /state\.json cannot be read \(its checksum does not fit: .*by hand\): .*delete it/;
  for (const edited of [
    text.replace('"serial":7', '"serial":8'),
    text.replace('"hash":"a', '"hash":"b'),
    text.replace('"actors":[]', '"actors":[{"id":"new"}]'),
    JSON.stringify(JSON.parse(text), null, 2),
  ]) {
    expect(edited).not.toBe(text);
    await writeFile(file, edited);
    await expect(readAppliedState(dir)).rejects.toThrow(said);
  }
  await writeFile(file, JSON.stringify(state));
  await expect(readAppliedState(dir)).rejects.toThrow(/it has no checksum/);
});
