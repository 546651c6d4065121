import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { functionLengths } from "./function-lengths.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const PLUGINS = /^@orgloop\/(connector|transform|logger)-/;

/** Which packages of ours each package may import, besides itself. Nothing imports cli. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  sdk: [],
  engine: ["sdk"],
  config: ["sdk", "engine"],
  files: ["sdk"],
  stores: ["sdk", "files"],
  bus: ["sdk", "files"],
  testkit: ["sdk", "files"],
  node: ["sdk", "engine", "config", "files", "stores", "bus", "plugins"],
  aws: ["sdk", "engine", "config"],
  cli: ["sdk", "engine", "config", "files", "node", "bus", "aws"],
  plugin: ["sdk"],
  functions: ["aws"],
  stacks: ["sdk", "config", "aws"],
};

/** A plug-in that builds on what another exports for it: one client of GitHub's API is enough. */
const ONE_CLIENT = {
  from: "packages/connectors/webhook/src/hook-deliveries.ts",
  to: "@orgloop/connector-github/client",
};

interface SourceFile {
  /** Relative to the repository, with `/`. */
  readonly file: string;
  readonly text: string;
  /** Tests and what only they use. */
  readonly test: boolean;
  /** What it imports, as written. */
  readonly imports: readonly string[];
}

const IMPORT = /\b(?:from|import)\s*\(?\s*"([^"\n]+)"/g;

const files: readonly SourceFile[] = globSync(
  "{packages,examples,test,modules,functions,stacks}/**/*.ts",
  {
    cwd: ROOT,
    exclude: (name) => name.includes("node_modules"),
  },
).map((file) => {
  const text = readFileSync(path.join(ROOT, file), "utf8");
  const imports = [...withoutComments(text).matchAll(IMPORT)].map(([, name]) => name ?? "");
  return { file, text, test: /(\.test|-fixture)\.ts$/.test(file), imports };
});

/** Without the tests and what they stand on. */
const shipped = files.filter(({ file, test }) => !test && !file.startsWith("test/"));

test("packages import each other in one direction", () => {
  const violations = files.flatMap(({ file, imports, test }) => {
    const { name, kind } = packageOf(file);
    if (kind === "outside")
      return imports.filter((it) => it === "@orgloop/cli").map((it) => `${file} imports ${it}`);
    const allowed = new Set([...(MAY_IMPORT[kind] ?? []), ...(test ? ["testkit", "stores"] : [])]);
    return imports
      .filter((it) => it.startsWith("@orgloop/"))
      .filter((it) => {
        const target = it.split("/").slice(0, 2).join("/");
        if (target === name || (file === ONE_CLIENT.from && it === ONE_CLIENT.to)) return false;
        return !allowed.has(PLUGINS.test(target) ? "plugins" : target.slice("@orgloop/".length));
      })
      .map((it) => `${file} imports ${it}`);
  });
  expect(violations).toEqual([]);
});

test("every package has its place in the direction of imports", () => {
  const kinds = new Set(files.map(({ file }) => packageOf(file).kind));
  kinds.delete("outside");
  expect([...kinds].filter((kind) => MAY_IMPORT[kind] === undefined)).toEqual([]);
});

test("relative imports stay inside their package and exist", () => {
  const violations = files.flatMap(({ file, imports }) =>
    imports
      .filter((it) => it.startsWith("."))
      .filter((it) => {
        const target = path.posix.join(path.posix.dirname(file), it);
        return (
          !target.startsWith(`${packageOf(file).directory}/`) ||
          !existsSync(path.join(ROOT, target))
        );
      })
      .map((it) => `${file} imports ${it}`),
  );
  expect(violations).toEqual([]);
});

test("no file imports itself in a circle", () => {
  const importsOf = new Map(
    files.map(({ file, imports }) => [
      file,
      imports
        .filter((it) => it.startsWith("."))
        .map((it) => path.posix.join(path.posix.dirname(file), it)),
    ]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
    if (done.has(file) || trail.includes(file)) return;
    for (const target of importsOf.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of importsOf.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

/** Parts of Node that do no I/O; of `node:net` only `BlockList` and `isIP`. */
const PURE_OF_NODE = new Set(["node:crypto", "node:net", "node:util", "node:zlib"]);

/** What the engine asks of Node: clock and chance, which hosts pass in; a guarded network. */
const PORTS = /^packages\/engine\/src\/(ports\/clock|plugins\/guarded-network)\.ts$/;

test("the engine is pure: no I/O, no clock, no chance, no timers", () => {
  const pure = files.filter(
    ({ file, test }) => file.startsWith("packages/engine/src/") && !test && !PORTS.test(file),
  );
  const nodeImports = pure.flatMap(({ file, imports }) =>
    imports
      .filter((it) => it.startsWith("node:") && !PURE_OF_NODE.has(it))
      .map((it) => `${file} imports ${it}`),
  );
  const network = /import\s*\{([^}]*)\}\s*from\s*"node:net"/.source;
  const sockets = pure.flatMap(({ file, text }) =>
    [...text.matchAll(new RegExp(network, "g"))]
      .flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()))
      .filter((name) => name !== "" && name !== "BlockList" && name !== "isIP")
      .map((name) => `${file} imports ${name} of node:net`),
  );
  const impure =
    /\b(Date\.now|new Date\(\)|Math\.random|(?<!timers\.)\bset(Timeout|Interval|Immediate)\b|process\.|performance\.now|fetch\()/;
  const uses = pure.flatMap(({ file, text }) => {
    const found = impure.exec(withoutComments(text));
    return found === null ? [] : [`${file} uses ${found[0]}`];
  });
  expect([...nodeImports, ...sockets, ...uses]).toEqual([]);
  expect(pure.length).toBeGreaterThan(0);
});

test("files are short enough to be read at once", () => {
  const long = files
    .map(({ file, text, test }) => ({
      file,
      lines: text.split("\n").length - 1,
      limit: test || file.startsWith("test/") ? 400 : 300,
    }))
    .filter(({ lines, limit }) => lines > limit)
    .map(({ file, lines, limit }) => `${file} has ${lines} lines; ${limit} is the limit`);
  expect(long).toEqual([]);
});

test("functions fit a screen of 60 lines", () => {
  // A suite of laws is a block of tests.
  const functions = shipped.filter(({ file }) => !file.endsWith("-suite.ts"));
  const long = functions.flatMap(({ file, text }) =>
    functionLengths(text)
      .filter(({ lines }) => lines > 60)
      .map(({ name }) => `${file} ${name}`),
  );
  expect([...new Set(long)].sort()).toEqual([]);
});

test("folders hold at most 25 files of code, but for that with one file a command", () => {
  const counts = Map.groupBy(shipped, ({ file }) => path.dirname(file));
  const full = [...counts]
    .filter(([folder, { length }]) => length > 25 && folder !== "packages/cli/src/commands")
    .map(([folder, { length }]) => `${folder} has ${length}`);
  expect(full).toEqual([]);
});

test("half of the files have at most 80 lines", () => {
  const lengths = shipped.map(({ text }) => text.split("\n").length - 1).sort((a, b) => a - b);
  expect(lengths[lengths.length >> 1]).toBeLessThanOrEqual(80);
});

test("files and folders are named after what they hold", () => {
  const vague = /(^|[-/.])(utils?|helpers?|common|managers?|base)([-/.]|$)/;
  expect(files.map(({ file }) => file).filter((file) => vague.test(file))).toEqual([]);
});

test("the README's table of one event's life names at most seven files, and they exist", () => {
  const readme = readFileSync(path.join(ROOT, "README.md"), "utf8");
  const [, section = ""] = /^#+ One event's life\n([\s\S]*?)(?=^#|(?![\s\S]))/im.exec(readme) ?? [];
  const rows = section
    .split("\n")
    .filter((line) => /^\|(?![\s:|-]*$)/.test(line.trim()))
    .slice(1);
  const named = rows.map((row) =>
    [...row.matchAll(/`([\w./-]+\/[\w./-]+)`/g)].map(([, file]) => file ?? ""),
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.length).toBeLessThanOrEqual(7);
  expect(rows.filter((_, at) => named[at]?.length === 0)).toEqual([]);
  expect(named.flat().filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
});

test("each hop of docs/architecture.md names a file and a function that it exports", () => {
  const page = readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8");
  const hops = [...page.matchAll(/^\d+\. `(\w+)` in `([\w./-]+)`/gm)];
  const wrong = hops.filter(([, name, file = ""]) => {
    const at = path.join(ROOT, file);
    if (!existsSync(at)) return true;
    const exported = new RegExp(`export (async )?(function\\*?|const|class) ${name}\\b`);
    return !exported.test(readFileSync(at, "utf8"));
  });
  expect(wrong.map(([hop]) => hop)).toEqual([]);
  expect(hops.length).toBeGreaterThan(40);
});

test("docs/architecture.md has the packages with what they may import", () => {
  const page = readFileSync(path.join(ROOT, "docs/architecture.md"), "utf8");
  const said = [...page.matchAll(/^\| `(?:packages\/)?(\w+)` \|.*\| ([^|`]+) \|$/gm)]
    .filter(([, name = ""]) => name in MAY_IMPORT)
    .map(([, name, list = ""]) => [name, list.replace("plug-ins", "plugins").split(", ")]);
  const rules = Object.entries(MAY_IMPORT)
    .filter(([name]) => name !== "plugin")
    .map(([name, list]) => [name, list.length === 0 ? ["none"] : list]);
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(rules));
});

test("every package has a README of a few lines", () => {
  const manifests = globSync(
    "{packages/*,packages/*/*,modules/*,functions,stacks,test}/package.json",
    {
      cwd: ROOT,
      exclude: (name) => name === "node_modules",
    },
  );
  const wrong = manifests
    .map((file) => path.join(path.dirname(file), "README.md"))
    .filter((page) => {
      const at = path.join(ROOT, page);
      return !existsSync(at) || readFileSync(at, "utf8").split("\n").length > 25;
    });
  expect(wrong).toEqual([]);
  expect(manifests.length).toBeGreaterThan(25);
});

/** What a reader fills in (`packages/connectors/NAME`), and what `npm ci` makes. */
const MAY_BE_MISSING = /NAME|\/dist$/;
/** Pages that name files, and packages that they are next to. */
const PAGES = [
  "*.md",
  "docs/**/*.md",
  "{functions,stacks,test,modules/*,packages/*,packages/*/*}/README.md",
];

test("what README and docs say where to look is there", () => {
  const pages = globSync(PAGES, { cwd: ROOT, exclude: (name) => name.includes("node_modules") });
  const missing = pages.flatMap((page) => {
    const text = readFileSync(path.join(ROOT, page), "utf8");
    const named = [
      ...text.matchAll(/`((?:packages|test|modules|examples|functions|stacks)\/[\w./-]+)`/g),
    ];
    return named
      .map(([, file]) => file as string)
      .filter((file) => !MAY_BE_MISSING.test(file) && !existsSync(path.join(ROOT, file)))
      .map((file) => `${page} names ${file}`);
  });
  expect(missing).toEqual([]);
});

test("comments are at most 100 columns wide", () => {
  const wide = files
    .filter(({ file }) => !file.includes("/fixtures/"))
    .flatMap(({ file, text }) =>
      text.split("\n").flatMap((line, at) => {
        const isComment = /^\s*(\/\/|\*|\/\*)/.test(line);
        return isComment && line.length > 100 ? [`${file}:${at + 1}`] : [];
      }),
    );
  expect(wide).toEqual([]);
});

test("pages that comments cite are there", () => {
  const pages = globSync("docs/**", { cwd: ROOT });
  const missing = files.flatMap(({ file, text }) =>
    [...text.matchAll(/\bdocs\/(?:decisions\/\d{4}|[\w-]+\.md)/g)]
      .filter(([cited]) => !pages.some((page) => page.startsWith(cited)))
      .map(([cited]) => `${file} cites ${cited}`),
  );
  expect(missing).toEqual([]);
});

/** The package a file is in: its name, its folder, and which rule it follows. */
function packageOf(file: string): { name: string; directory: string; kind: string } {
  const parts = file.split("/");
  if (parts[0] === "functions" || parts[0] === "stacks") {
    return { name: `@orgloop/${parts[0]}`, directory: parts[0], kind: parts[0] };
  }
  if (parts[0] !== "packages") {
    const depth = parts[0] === "examples" || parts[0] === "modules" ? 2 : 1;
    return { name: "", directory: parts.slice(0, depth).join("/"), kind: "outside" };
  }
  const [, group = "", member = ""] = parts;
  if (group === "connectors" || group === "transforms" || group === "loggers") {
    const name = `@orgloop/${group.slice(0, -1)}-${member}`;
    return { name, directory: `packages/${group}/${member}`, kind: "plugin" };
  }
  return { name: `@orgloop/${group}`, directory: `packages/${group}`, kind: group };
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

test("the lock file names every platform's package, so that npm ci works on each", () => {
  const lock = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8"));
  const packages: Record<string, { optionalDependencies?: Record<string, string> }> = lock.packages;
  const missing = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies).filter(
      (name) => !Object.keys(packages).some((at) => at.endsWith(`node_modules/${name}`)),
    ),
  );
  expect(missing).toEqual([]);
});
