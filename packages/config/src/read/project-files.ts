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
   * The absolute path of the file that `written` names, looked up in each of `from` in turn. Throws `OUTSIDE`, `MISSING`,
   * `DIRECTORY` or `NOT_A_FILE`, in words for the one who wrote it.
   */
  find(written: string, from: readonly string[]): string;
  /**
   * The absolute path of the folder that `written` names, from the root; undefined where there is none. Throws `OUTSIDE`, which
   * says `shown`.
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

/** With `project`, the files of a module, shown relative to the project that uses it. */
export function projectFiles(root: string, project = root): ProjectFiles {
  const realRoot = realpathSync(root);
  const whole = root === project ? "project" : "module";
  const decoder = new TextDecoder("utf-8", { fatal: true });

  const inside = (base: string, path: string) => path === base || path.startsWith(base + sep);

  const display = (absolute: string) => {
    if (!inside(root, absolute) && !inside(project, absolute)) return absolute;
    return relative(project, absolute).replaceAll(sep, "/");
  };

  /** What `check` found: many routes name the same prompt file. */
  const checked = new Map<string, "missing" | undefined>();

  const check = (written: string, absolute: string): "missing" | undefined => {
    if (checked.has(absolute)) return checked.get(absolute);
    const found = look(written, absolute);
    checked.set(absolute, found);
    return found;
  };

  const look = (written: string, absolute: string): "missing" | undefined => {
    if (!inside(root, absolute)) {
      throw new OrgLoopError("OUTSIDE", `"${written}" leads out of the ${whole}`);
    }
    let stats: ReturnType<typeof statSync>;
    try {
      stats = statSync(absolute);
      const real = realpathSync.native(absolute);
      if (!inside(realRoot, real)) {
        throw new OrgLoopError(
          "OUTSIDE",
          `"${written}" is a symbolic link that leads out of the ${whole}`,
        );
      }
    } catch (error) {
      if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return "missing";
      if (hasCode(error, "OUTSIDE")) throw error;
      throw new OrgLoopError("UNREADABLE", `cannot read "${written}": ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (stats.isDirectory()) {
      throw new OrgLoopError("DIRECTORY", `"${written}" is a directory: a file is expected`);
    }
    if (!stats.isFile()) {
      throw new OrgLoopError("NOT_A_FILE", `"${written}" is no regular file`);
    }
    return undefined;
  };

  return {
    root,
    display,
    find(written, from) {
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
          if (inside(root, absolute)) link ??= error;
          else outside ??= error;
        }
      }
      // A way that leads out from one folder is meant from the other, where the file is missing.
      const refused = link ?? (tried.length === 0 ? outside : undefined);
      if (refused !== undefined) throw refused;
      throw new OrgLoopError(
        "MISSING",
        `there is no file "${written}"; looked for ${[...new Set(tried)].join(" and ")}`,
      );
    },
    folder(written, shown = written) {
      const absolute = resolve(root, written);
      const outside = new OrgLoopError("OUTSIDE", `"${shown}" leads out of the ${whole}`);
      if (!inside(root, absolute)) throw outside;
      if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) return undefined;
      if (!inside(realRoot, realpathSync.native(absolute))) throw outside;
      return absolute;
    },
    sha256: (absolute) => hash("sha256", bytesOf(absolute)),
    read(absolute) {
      const bytes = bytesOf(absolute, MAX_BYTES);
      try {
        // Several times as fast, and nearly every file is so.
        return isAscii(bytes) ? bytes.toString("latin1") : decoder.decode(bytes);
      } catch (error) {
        throw new OrgLoopError("NOT_UTF8", "the file is not UTF-8 text", { cause: error });
      }
    },
  };
}
