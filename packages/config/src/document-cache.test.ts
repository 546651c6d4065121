import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HEAD, lines } from "../test/review-module.ts";
import { temporaryProject } from "../test/temporary-project.ts";
import { documentCache } from "./document-cache.ts";
import { loadProject } from "./load-project.ts";

/** A project with one large file, and a home of its own. */
function project(edit: (text: string) => string = (text) => text) {
  const actors = Array.from(
    { length: 400 },
    (_, at) => `  - { id: a${at}, connector: "@orgloop/connector-exec" }\n`,
  );
  const path = temporaryProject({
    "orgloop.yaml": `${HEAD} Project\nmetadata: { name: demo }\nvars: { depth: 5 }\nconnectors: [large.yaml]\n`,
    "large.yaml": edit(`${HEAD} ConnectorGroup\nactors:\n${actors.join("")}`),
  });
  const home = join(path, "home");
  const cache = join(home, "cache/config");
  return { path, cache, load: () => loadProject({ path, env: { ORGLOOP_HOME: home } }) };
}

const entries = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);

describe("what large files hold is remembered", () => {
  it("and a second load says the same", async () => {
    const { cache, load } = project();
    const first = await load();
    expect(entries(cache)).toHaveLength(1);
    const second = await load();
    expect(second.topology).toEqual(first.topology);
    expect(entries(cache)).toHaveLength(1);
  });

  it("and a changed file is read anew", async () => {
    const { path, cache, load } = project();
    await load();
    const text = `${HEAD} ConnectorGroup\nactors: [{ id: only, connector: x }]\n${"#".repeat(20_000)}\n`;
    writeFileSync(join(path, "large.yaml"), text);
    expect((await load()).topology?.actors.map(({ id }) => id)).toEqual(["only"]);
    expect((await load()).topology?.actors.map(({ id }) => id)).toEqual(["only"]);
    expect(entries(cache)).toHaveLength(1);
  });

  it("and of a changed file what changed is checked", async () => {
    const { path, load } = project();
    expect((await load()).errors).toEqual([]);
    const file = join(path, "large.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("id: a7,", "id: a7, qeue_depth: 1,"));
    expect(lines((await load()).errors)).toEqual([
      'large.yaml:11:15 unknown-key | unknown key "qeue_depth": did you mean "queue_depth"?',
    ]);
    writeFileSync(file, text.replace("id: a7,", "id: a7, queue_depth: 1,"));
    const { errors, topology } = await load();
    expect(errors).toEqual([]);
    expect(topology?.actors[7]?.queue_depth).toBe(1);
    writeFileSync(file, text.replace("actors:", "actor:"));
    expect((await load()).errors.map(({ code }) => code)).toEqual(["unknown-key"]);
  });

  it("and what is wrong is said every time, at its place", async () => {
    const { load } = project((text) => text.replace("id: a7,", "id: a7, qeue_depth: 1,"));
    const first = lines((await load()).errors);
    expect(first).toEqual([
      'large.yaml:11:15 unknown-key | unknown key "qeue_depth": did you mean "queue_depth"?',
    ]);
    expect(lines((await load()).errors)).toEqual(first);
  });

  it("and what a variable puts in is checked every time", async () => {
    const depth = `"$\{vars.depth}"`;
    const { path, load } = project((text) =>
      text.replace("id: a7,", `id: a7, queue_depth: ${depth},`),
    );
    expect((await load()).errors).toEqual([]);
    writeFileSync(
      join(path, "orgloop.yaml"),
      `${HEAD} Project\nmetadata: { name: demo }\nvars: { depth: none }\nconnectors: [large.yaml]\n`,
    );
    expect((await load()).errors.map(({ code }) => code)).toEqual(["invalid-value"]);
  });

  it("and a memory that is damaged is not used", async () => {
    const { cache, load } = project();
    const first = await load();
    const [file = ""] = readdirSync(cache);
    const whole = readFileSync(join(cache, file), "utf8");
    for (const damaged of ['{"value":', whole.slice(0, -100), whole.replace("[{", "[["), ""]) {
      writeFileSync(join(cache, file), damaged);
      expect((await load()).topology).toEqual(first.topology);
    }
  });

  it("and one of which a line ends anywhere is not used", async () => {
    const { cache, load } = project();
    const first = await load();
    const [name = ""] = readdirSync(cache);
    const whole = readFileSync(join(cache, name), "utf8");
    const [, ...ends] = whole.matchAll(/ /g);
    for (const { index } of ends.slice(0, 5)) {
      for (const end of [index, index + 1]) {
        writeFileSync(join(cache, name), `${whole.slice(0, end)}\n`);
        expect((await load()).topology).toEqual(first.topology);
      }
    }
  });

  it("and what is damaged does not make a file valid", async () => {
    const { cache, load } = project((text) => text.replace("id: a7,", "id: a7, qeue_depth: 1,"));
    const { errors } = await load();
    expect(errors).toHaveLength(1);
    const [name = ""] = readdirSync(cache);
    const whole = readFileSync(join(cache, name), "utf8");
    writeFileSync(join(cache, name), whole.replace("  ", " ConnectorGroup "));
    expect((await load()).errors).toEqual(errors);
  });

  it("but for what is no mapping: a file should hold one", async () => {
    for (const text of ["# nothing", ".nan", "- 1"]) {
      const { load } = project(() => `${text}\n# ${"-".repeat(20_000)}\n`);
      const { errors } = await load();
      expect(errors).toHaveLength(1);
      expect((await load()).errors).toEqual(errors);
    }
  });

  it("by the version that reads them: what another one took for valid need not be", () => {
    const directory = temporaryProject({});
    const cacheOf = (version: string) => documentCache(directory, "cache", () => version);
    const text = (name: string) => name + " ".repeat(20_000);
    const cache = cacheOf("1");
    const added = cache.add(text("before"), { actors: [] }, "/project/large.yaml");
    if (added) added.valid = "ConnectorGroup";
    cache.save();
    const next = (version: string) => cacheOf(version).add(text("now"), {}, "/project/large.yaml");
    expect(next("1")?.previous).toEqual({ valid: "ConnectorGroup", value: { actors: [] } });
    expect(next("2")?.previous).toBeUndefined();
    expect(cacheOf("1").find(text("before"))?.valid).toBe("ConnectorGroup");
    expect(cacheOf("2").find(text("before"))).toBeUndefined();
  });

  it("and what is added after a line that was cut off is used; what nobody asks for goes", async () => {
    const { path, cache, load } = project();
    await load();
    const [name = ""] = readdirSync(cache);
    const file = join(cache, name);
    const large = readFileSync(join(path, "large.yaml"), "utf8");
    const least = statSync(file).size;
    for (let at = 0; at < 8; at++) {
      writeFileSync(join(path, "large.yaml"), large.replace("id: a0,", `id: changed-${at},`));
      const whole = readFileSync(file, "utf8");
      // A line that a process was killed in the middle of.
      writeFileSync(file, `${whole}${whole.slice(0, 300 * at)}`);
      for (const _ of ["new", "remembered"]) {
        const { topology } = await load();
        expect(topology?.actors[0]?.id).toBe(`changed-${at}`);
        expect(topology?.actors).toHaveLength(400);
      }
    }
    expect(statSync(file).size).toBeLessThan(3.5 * least);
    expect(entries(cache)).toHaveLength(1);
  });

  it("and a home that cannot be written does no harm", async () => {
    const { path, load } = project();
    mkdirSync(join(path, "home"));
    writeFileSync(join(path, "home/cache"), "a file");
    expect((await load()).errors).toEqual([]);
  });
});

it("small files leave no trace", async () => {
  const path = temporaryProject({ "orgloop.yaml": `${HEAD} Project\nmetadata: { name: demo }\n` });
  await loadProject({ path, env: { ORGLOOP_HOME: join(path, "home") } });
  expect(existsSync(join(path, "home"))).toBe(false);
});
