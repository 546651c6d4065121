import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DeadLetter, PermanentError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

function organisation() {
  const agent = recordingActor(() => {
    throw new PermanentError("no");
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  return { parts, topology: topologyOf(parts, [route("r", "hook", "agent")], { bus: "file" }) };
}

test("a start says which dead letter was damaged, keeps its bytes, and goes on with the others", async () => {
  const dataDir = await temporaryDir();
  const { parts, topology } = organisation();
  const first = await startFixture(topology, parts, { dataDir });
  for (const n of [1, 2, 3]) await first.post("/webhook/hook", { n });
  await eventually(() => expect(first.status().dead_letters).toBe(3));
  await first.drain();

  const dir = join(dataDir, "dead-letters");
  const file = join(dir, "dead-letters.jsonl");
  const lines = (await readFile(file, "utf8")).split("\n");
  const lost: DeadLetter = JSON.parse(lines[2] as string).letter;
  lines[2] = (lines[2] as string).replace('"reason":"permanent"', '"reason":"permanenT"');
  await writeFile(file, lines.join("\n"));

  const second = await startFixture(topology, parts, { dataDir });
  const said = second.entries.filter(({ phase }) => phase === "system.error");
  expect(said.map(({ error }) => error)).toEqual([
    expect.stringContaining(`dead-letters.jsonl:3 (byte`),
  ]);
  expect(said[0]?.error).toContain(lost.event_id);
  expect(said[0]?.error).toContain("orgloop replay --event");
  expect(second.status().dead_letters).toBe(2);
  const left = (await (
    await second.get("/control/dead-letters", { headers })
  ).json()) as DeadLetter[];
  expect(left.map(({ id }) => id)).not.toContain(lost.id);
  const kept = (await readdir(dir)).filter((name) => name.includes(".damaged-"));
  expect(await readFile(join(dir, kept[0] as string), "utf8")).toBe(`${lines[2]}\n`);
  await second.drain();
  const third = await startFixture(topology, parts, { dataDir });
  expect(third.entries.filter(({ phase }) => phase === "system.error")).toEqual([]);
});

test("letters are listed in pages", async () => {
  const { parts, topology } = organisation();
  const process = await startFixture(topology, parts);
  for (const n of [1, 2, 3, 4, 5]) await process.post("/webhook/hook", { n });
  await eventually(() => expect(process.status().dead_letters).toBe(5));
  const get = async (query: string) => {
    const response = await process.get(`/control/dead-letters${query}`, { headers });
    const body = JSON.parse(await response.text());
    return { status: response.status, body };
  };
  const { body: all } = await get("");
  const pages: unknown[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const { body } = await get(`?limit=2&after=${after}`);
    pages.push(...body.letters);
    after = body.next;
  }
  expect(pages).toEqual(all);
  expect((await get("?limit=2000")).status).toBe(400);
  expect((await get("?limit=2&after=x")).status).toBe(400);
});
