import { isAscii } from "node:buffer";
import { hash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";

/** Configuration files larger than this are refused. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Finds and reads the files of one root (a project, or a module), and none outside it. */
export interface ProjectFiles {
  readonly root: string;
  /** Relative to the root, with `/`; absolute for a file outside it. */
  display(absolute: string): string;
  /**
   * The absolute path of the file that `written` names, looked up in each of `from` in turn. Throws
   * `OUTSIDE`, `MISSING`, `DIRECTORY` or `NOT_A_FILE`, in words for the one who wrote it.
   */
  find(written: string, from: readonly string[]): string;
  /**
   * The absolute path of the folder that `written` names, from the root; undefined where there is
   * none. Throws `OUTSIDE`, which says `shown`.
   */
  folder(written: string, shown?: string): string | undefined;
  /** SHA-256 of a file that `find` gave, in lower-case hex. Throws `UNREADABLE`. */
  sha256(absolute: string): string;
  /** The text of a file that `find` gave. Throws `TOO_LARGE`, `NOT_UTF8`, `UNREADABLE`. */
  read(absolute: string): string;
}

/** Throws `UNREADABLE`, and `TOO_LARGE` for more than `most` bytes. */
function bytesOf(absolute: string, most = Number.POSITIVE_INFINITY): Buffer {
  try {
    const { size } = statSync(absolute);
    if (size > most) {
      throw new OrgLoopError(
        "TOO_LARGE",
        `the file has ${size} bytes: more than ${most} are refused`,
      );
    }
    return readFileSync(absolute);
  } catch (error) {
    if (hasCode(error, "TOO_LARGE")) throw error;
    throw new OrgLoopError("UNREADABLE", `cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** What a file that is not UTF-8 is, as far as its first bytes tell, and what to do about it. */
function notUtf8(bytes: Buffer): string {
  const [first, second] = bytes;
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const what = marked || bytes.subarray(0, 64).includes(0) ? "UTF-16 text" : "not UTF-8 text";
  return `the file is ${what}: save it as UTF-8`;
}

/** The folder that files are looked for in, and what it is called. */
interface Root {
  /** As it was given. */
  readonly path: string;
  /** Without symbolic links. */
  readonly real: string;
  readonly whole: "project" | "module";
}

const inside = (base: string, path: string) => path === base || path.startsWith(base + sep);

/** With `project`, the files of a module, shown relative to the project that uses it. */
export function projectFiles(path: string, project = path): ProjectFiles {
  const whole = path === project ? "project" : "module";
  const root: Root = { path, real: realpathSync(path), whole };
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const display = (absolute: string) => {
    if (!inside(path, absolute) && !inside(project, absolute)) return absolute;
    return relative(project, absolute).replaceAll(sep, "/");
  };
  /** What `look` found: many routes name the same prompt file. */
  const known = new Map<string, "missing" | undefined>();
  const check = (written: string, absolute: string): "missing" | undefined => {
    if (!known.has(absolute)) known.set(absolute, look(root, written, absolute));
    return known.get(absolute);
  };

  return {
    root: path,
    display,
    find: (written, from) => findIn(root, written, from, check, display),
    folder(written, shown = written) {
      const absolute = resolve(path, written);
      const outside = new OrgLoopError("OUTSIDE", `"${shown}" leads out of the ${whole}`);
      if (!inside(path, absolute)) throw outside;
      if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) return undefined;
      if (!inside(root.real, realpathSync.native(absolute))) throw outside;
      return absolute;
    },
    sha256: (absolute) => hash("sha256", bytesOf(absolute)),
    read(absolute) {
      const bytes = bytesOf(absolute, MAX_BYTES);
      if (bytes.subarray(0, 64).includes(0)) throw new OrgLoopError("NOT_UTF8", notUtf8(bytes));
      try {
        // Several times as fast, and nearly every file is so.
        return isAscii(bytes) ? bytes.toString("latin1") : decoder.decode(bytes);
      } catch (error) {
        throw new OrgLoopError("NOT_UTF8", notUtf8(bytes), { cause: error });
      }
    },
  };
}

/** Looks for the file in each folder of `from`; throws as {@link ProjectFiles.find}. */
function findIn(
  root: Root,
  written: string,
  from: readonly string[],
  check: (written: string, absolute: string) => "missing" | undefined,
  display: (absolute: string) => string,
): string {
  const tried: string[] = [];
  let outside: unknown;
  let link: unknown;
  for (const directory of new Set(from)) {
    const absolute = isAbsolute(written) ? resolve(written) : resolve(directory, written);
    try {
      if (check(written, absolute) === undefined) return absolute;
      tried.push(display(absolute));
    } catch (error) {
      if (!hasCode(error, "OUTSIDE")) throw error;
      if (inside(root.path, absolute)) link ??= error;
      else outside ??= error;
    }
  }
  // A way that leads out from one folder is meant from the other, where the file is missing.
  const refused = link ?? (tried.length === 0 ? outside : undefined);
  if (refused !== undefined) throw refused;
  const places = [...new Set(tried)].join(" and ");
  throw new OrgLoopError("MISSING", `there is no file "${written}"; looked for ${places}`);
}

/**
 * Whether the file is there; throws where it is outside the root, is no file, or cannot be read.
 */
function look(root: Root, written: string, absolute: string): "missing" | undefined {
  if (!inside(root.path, absolute)) {
    throw new OrgLoopError("OUTSIDE", `"${written}" leads out of the ${root.whole}`);
  }
  let stats: ReturnType<typeof statSync>;
  try {
    stats = statSync(absolute);
    if (!inside(root.real, realpathSync.native(absolute))) {
      const message = `"${written}" is a symbolic link that leads out of the ${root.whole}`;
      throw new OrgLoopError("OUTSIDE", message);
    }
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return "missing";
    if (hasCode(error, "OUTSIDE")) throw error;
    const message = `cannot read "${written}": ${messageOf(error)}`;
    throw new OrgLoopError("UNREADABLE", message, { cause: error });
  }
  if (stats.isDirectory()) {
    throw new OrgLoopError("DIRECTORY", `"${written}" is a directory: a file is expected`);
  }
  if (!stats.isFile()) {
    throw new OrgLoopError("NOT_A_FILE", `"${written}" is no regular file`);
  }
  return undefined;
}
