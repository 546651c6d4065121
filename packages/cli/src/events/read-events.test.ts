import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readEvents } from "./read-events.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "orgloop-events-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function read(name: string, text: string | Uint8Array) {
  const file = path.join(directory, name);
  await writeFile(file, text);
  return Array.fromAsync(readEvents(file, name));
}

const event = { source: "inbox", type: "resource.changed", payload: { text: "ü\u2028" } };

test.each([
  ["one.json", JSON.stringify(event)],
  ["pretty.json", JSON.stringify(event, null, 2)],
  ["list.json", JSON.stringify([event])],
  ["marked.jsonl", `\uFEFF${JSON.stringify(event)}\n`],
  ["marked.json", `\uFEFF${JSON.stringify(event, null, 2)}`],
  ["lines.jsonl", `\n${JSON.stringify(event)}\r\n\n`],
])("%s holds one event", async (name, text) => {
  expect(await read(name, text)).toEqual([event]);
});

test("a file without a telling name is JSONL where its first line is an event", async () => {
  expect(await read("stdin", `${JSON.stringify(event)}\n${JSON.stringify(event)}`)).toHaveLength(2);
});

test.each([
  ["broken.jsonl", `${JSON.stringify(event)}\n{"source":\n`, /^broken\.jsonl:2: no JSON/],
  ["broken.json", '{\n  "source": "inbox",\n  oops\n}', /^broken\.json:3: no JSON/],
  ["cut.json", '{\n  "source":\n\n  oops\n}', /^cut\.json: no JSON: .+; nothing was sent$/],
  ["empty.json", "", /^empty\.json.*no JSON/],
  [
    "huge.jsonl",
    '{"source":"a","payload":{"n":1e400}}',
    /^huge\.jsonl:1: NUMBER_OUT_OF_RANGE: the/,
  ],
  [
    "deep.jsonl",
    `{"source":"a","payload":{"x":${"[".repeat(300)}${"]".repeat(300)}}}`,
    /200 levels/,
  ],
  ["scalar.jsonl", "7", /^scalar\.jsonl:1: expected an event .* found a number/],
  ["no-source.jsonl", "{}", /`source`: expected the id of a source/],
  [
    "type.json",
    '[{"source":"a"},{"source":"a","type":"resource.chnged"}]',
    /event 2: .*"resource\.chnged" is no event type; there are: resource\.changed/,
  ],
  ["id.jsonl", '{"source":"a","id":"../x"}', /`id`/],
  ["time.jsonl", '{"source":"a","timestamp":"yesterday"}', /`timestamp`/],
  ["payload.jsonl", '{"source":"a","payload":[]}', /`payload`: expected an object, found a list/],
])("%s is refused where it is wrong", async (name, text, message) => {
  await expect(read(name, text)).rejects.toThrow(message);
  await expect(read(name, text)).rejects.toMatchObject({ code: "BAD_EVENT" });
});

test.each([
  ["latin1.json", "one", /^latin1\.json:1: no JSON: it is not UTF-8/],
  ["latin1.jsonl", "two", /^latin1\.jsonl:2: no JSON: it is not UTF-8/],
  ["utf16.json", "utf16", /^utf16\.json: no JSON: it is not UTF-8/],
])(
  "%s is refused: other characters would stand in the place of its own",
  async (name, kind, why) => {
    const latin1 = Buffer.from(
      JSON.stringify({ source: "inbox", payload: { name: "Jürgen" } }),
      "latin1",
    );
    const bytes = {
      one: latin1,
      two: Buffer.concat([Buffer.from(`${JSON.stringify(event)}\n`), latin1]),
      utf16: Buffer.from(`\uFEFF${JSON.stringify(event)}`, "utf16le"),
    }[kind];
    await expect(read(name, bytes ?? "")).rejects.toThrow(why);
  },
);
