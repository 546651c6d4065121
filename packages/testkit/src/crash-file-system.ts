import { dirname, normalize } from "node:path";
import type { DirectoryLock, FileSystem, OpenFile } from "@orgloop/files";
import { CrashFile } from "./crash-file.ts";

/** An operation as a fault sees it, before it happens. */
export interface FileOperation {
  readonly kind:
    | "open"
    | "list"
    | "makeDirectory"
    | "rename"
    | "remove"
    | "syncDirectory"
    | "write"
    | "read"
    | "size"
    | "truncate"
    | "sync";
  readonly path: string;
  /** Of a write. */
  readonly bytes?: number;
}

/** The operation rejects with this code; a write has then taken its first `written` bytes. */
export interface Fault {
  readonly code: string;
  readonly written?: number;
}

export interface CrashFileSystem {
  readonly fileSystem: FileSystem;
  /** Asked before every operation; null: no fault. */
  fault: ((operation: FileOperation) => Fault | null) | null;
  /**
   * Bytes that all files together may have: writes beyond are cut short, then rejected with
   * `ENOSPC`.
   */
  capacity: number;
  /** Operations so far. */
  readonly operations: number;
  /**
   * The machine dies at the operation of this number: it and all later ones stay pending for ever.
   */
  crashAt: number;
  /** Resolves when {@link crashAt} is reached. */
  readonly crashed: Promise<void>;
  /** Power cuts that this disk has been through. */
  readonly powerCuts: number;
  /**
   * The disk after a power cut now, one of all legal states: what was synced is there; of each
   * 512-byte sector written since, an older state or a newer one; any size in between; of the names
   * created, renamed and removed since their directory was synced, any. `random` yields numbers in
   * [0, 1).
   */
  crash(random: () => number): CrashFileSystem;
  /** The same disk for the next process: the kernel's memory stays, all handles are gone. */
  restart(): CrashFileSystem;
  /** Files as they look now, by path. */
  files(): ReadonlyMap<string, Buffer>;
  /** Changes bytes behind everyone's back, durably; null removes the file. */
  tamper(path: string, change: (bytes: Buffer) => Buffer | null): void;
  /** For what locks: one holder a directory, gone with the process. */
  lock(dir: string): Promise<DirectoryLock>;
}

/** A change of names not yet synced. A rename is one change: it is kept or lost as a whole. */
interface NameChange {
  readonly dir: string;
  readonly remove?: string;
  readonly add?: { readonly path: string; readonly file: CrashFile };
}

/** A file system in memory that remembers what is not yet synced, and can crash. */
export function crashFileSystem(): CrashFileSystem {
  return create(new Map(), new Map(), [], 0);
}

function create(
  durable: Map<string, CrashFile>,
  current: Map<string, CrashFile>,
  changes: NameChange[],
  powerCuts: number,
): CrashFileSystem {
  let operations = 0;
  const crash = Promise.withResolvers<void>();
  const locked = new Set<string>();
  let unsynced = changes;

  async function step(operation: FileOperation): Promise<Fault | null> {
    operations += 1;
    if (operations >= disk.crashAt) await death();
    await Promise.resolve();
    if (disk.crashAt === 0) await death();
    return disk.fault?.(operation) ?? null;
  }

  function death(): Promise<never> {
    crash.resolve();
    return new Promise(() => undefined);
  }

  async function passing(operation: FileOperation): Promise<void> {
    const fault = await step(operation);
    if (fault !== null) throw failure(fault.code, operation);
  }

  function change(next: NameChange): void {
    if (next.remove !== undefined) current.delete(next.remove);
    if (next.add !== undefined) current.set(next.add.path, next.add.file);
    unsynced.push(next);
  }

  function used(): number {
    let bytes = 0;
    for (const file of current.values()) bytes += file.size;
    return bytes;
  }

  function openFile(path: string, file: CrashFile): OpenFile {
    return {
      async write(bytes, position) {
        const operation: FileOperation = { kind: "write", path, bytes: bytes.length };
        const fault = await step(operation);
        const growth = Math.max(0, position + bytes.length - file.size);
        const room = Math.max(0, disk.capacity - used());
        const fits = growth > room ? Math.max(0, bytes.length - (growth - room)) : bytes.length;
        const taken = fault === null ? fits : Math.min(fault.written ?? 0, fits);
        if (taken > 0) file.write(Buffer.from(bytes.subarray(0, taken)), position);
        if (fault !== null) throw failure(fault.code, operation);
        if (taken === 0 && bytes.length > 0) throw failure("ENOSPC", operation);
        return taken;
      },
      async read(into, position) {
        await passing({ kind: "read", path });
        return file.read(into, position);
      },
      async size() {
        await passing({ kind: "size", path });
        return file.size;
      },
      async truncate(size) {
        await passing({ kind: "truncate", path });
        file.truncate(size);
      },
      async sync() {
        const operation: FileOperation = { kind: "sync", path };
        const fault = await step(operation);
        if (fault !== null) {
          file.failSync();
          throw failure(fault.code, operation);
        }
        file.sync();
      },
      isRemoved: () => ![...current.values()].includes(file),
      async close() {},
    };
  }

  async function syncDirectory(dir: string): Promise<void> {
    await passing({ kind: "syncDirectory", path: dir });
    const synced = normalize(dir);
    for (const each of unsynced) if (each.dir === synced) apply(durable, each);
    unsynced = unsynced.filter((each) => each.dir !== synced);
  }

  const fileSystem: FileSystem = {
    async open(given, mode) {
      const path = normalize(given);
      const operation: FileOperation = { kind: "open", path };
      await passing(operation);
      let file = current.get(path);
      if (mode === "create" && file !== undefined) throw failure("EEXIST", operation);
      if (file === undefined) {
        if (mode === "read" || mode === "update") throw failure("ENOENT", operation);
        file = new CrashFile();
        change({ dir: dirname(path), add: { path, file } });
      } else if (mode === "replace") file.truncate(0);
      return openFile(path, file);
    },
    async list(dir) {
      await passing({ kind: "list", path: dir });
      const prefix = `${normalize(dir)}/`;
      const below = [...current.keys()].filter((path) => path.startsWith(prefix));
      return [...new Set(below.map((path) => path.slice(prefix.length).split("/")[0] as string))];
    },
    // Directories are nothing by themselves here.
    async removeDirectory() {},
    makeDirectory: (dir) => passing({ kind: "makeDirectory", path: dir }),
    async rename(from, to) {
      const operation: FileOperation = { kind: "rename", path: from };
      await passing(operation);
      const file = current.get(normalize(from));
      if (file === undefined) throw failure("ENOENT", operation);
      const path = normalize(to);
      change({ dir: dirname(path), remove: normalize(from), add: { path, file } });
    },
    async remove(path) {
      const operation: FileOperation = { kind: "remove", path };
      await passing(operation);
      if (!current.has(normalize(path))) throw failure("ENOENT", operation);
      change({ dir: dirname(normalize(path)), remove: normalize(path) });
    },
    syncDirectory,
    async openDirectory(dir) {
      await passing({ kind: "open", path: dir });
      return { sync: () => syncDirectory(dir), close: async () => {} };
    },
  };

  const disk: CrashFileSystem = {
    fileSystem,
    fault: null,
    capacity: Number.POSITIVE_INFINITY,
    crashAt: Number.POSITIVE_INFINITY,
    powerCuts,
    get operations() {
      return operations;
    },
    crashed: crash.promise,
    crash(random) {
      disk.crashAt = 0;
      const share = shareKept(random);
      const names = new Map(durable);
      for (const each of unsynced) if (random() < share) apply(names, each);
      const copies = new Map<CrashFile, CrashFile>();
      const after = () =>
        new Map(
          Array.from(names, ([path, file]) => {
            const copy = copies.get(file) ?? file.crash(random, share);
            copies.set(file, copy);
            return [path, copy] as const;
          }),
        );
      return create(after(), after(), [], powerCuts + 1);
    },
    restart() {
      disk.crashAt = 0;
      return create(durable, current, unsynced, powerCuts);
    },
    files: () => new Map(Array.from(current, ([path, file]) => [path, file.bytes()])),
    tamper(path, changeBytes) {
      const file = current.get(normalize(path));
      if (file === undefined) throw failure("ENOENT", { kind: "open", path });
      const changed = changeBytes(file.bytes());
      if (changed !== null) return file.replace(changed);
      for (const names of [current, durable]) names.delete(normalize(path));
    },
    async lock(dir) {
      if (locked.has(dir)) throw failure("LOCKED", { kind: "open", path: dir });
      locked.add(dir);
      return { release: async () => void locked.delete(dir) };
    },
  };
  return disk;
}

/** How much of what is unsynced survives: often nothing or everything, as on real disks. */
function shareKept(random: () => number): number {
  const kind = random();
  return kind < 0.2 ? 0 : kind < 0.4 ? 1 : random();
}

function apply(names: Map<string, CrashFile>, change: NameChange): void {
  if (change.remove !== undefined) names.delete(change.remove);
  if (change.add !== undefined) names.set(change.add.path, change.add.file);
}

function failure(code: string, { kind, path }: FileOperation): Error {
  return Object.assign(new Error(`${code}: ${kind} ${path}`), { code });
}
