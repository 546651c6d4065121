import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { loadProject } from "@orgloop/config";
import { pluginLookup, startProcess } from "@orgloop/node";
import { expect, onTestFinished, test, vi } from "vitest";

const EXAMPLE = import.meta.dirname;
const PACKAGES = ["connector-board", "transform-redact", "logger-tally"];
const NOTES = [
  { number: 1, thread: "a", text: "Call me", phone: "555" },
  { number: 2, thread: "a", phone: "555", text: "Later" },
];

test("the example's connector, transform and logger run in a process", async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-extending-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const projectDir = path.join(directory, "project");
  await mkdir(path.join(projectDir, "node_modules/@acme"), { recursive: true });
  await cp(path.join(EXAMPLE, "orgloop.yaml"), path.join(projectDir, "orgloop.yaml"));
  for (const name of PACKAGES) {
    // As npm installs a folder.
    const installed = path.join(projectDir, "node_modules/@acme", name);
    await symlink(path.join(EXAMPLE, "packages", name), installed);
  }
  const copied: string[] = [];
  let busy = true;
  const board = createServer(async (request, response) => {
    const after = Number(new URL(request.url ?? "", "http://board").searchParams.get("after"));
    if (request.method === "GET") {
      response.end(JSON.stringify(NOTES.filter(({ number }) => number > after).slice(0, 1)));
    } else if (busy) {
      busy = false;
      response.writeHead(503, { "retry-after": "0" }).end();
    } else {
      copied.push(JSON.parse(await text(request)).text);
      response.end();
    }
  });
  await new Promise<void>((resolve) => board.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void board.close());
  const url = `http://127.0.0.1:${(board.address() as AddressInfo).port}`;
  const tally = path.join(directory, "tally.json");
  const env = { BOARD_URL: url, COPY_URL: url, BOARD_TOKEN: "secret-token", TALLY_FILE: tally };
  const lookup = pluginLookup({ projectDir });

  const { topology, errors, warnings } = await loadProject({ path: projectDir, env, lookup });
  expect([...errors, ...warnings]).toEqual([]);
  if (topology === null) throw new Error("no topology");
  const process = await startProcess({
    topology,
    projectDir,
    dataDir: path.join(directory, "data"),
    env,
    lookup,
    token: "",
    random: () => 0,
  });
  onTestFinished(() => process.drain());
  await vi.waitFor(() => expect(copied).toEqual(["Call me (***)", "Later (***)"]));
  await process.drain();
  const counts = JSON.parse(await readFile(tally, "utf8"));
  expect(counts).toMatchObject({ "source.emit": 2, "deliver.success": 2, "deliver.retry": 1 });
});
