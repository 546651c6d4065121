import { dirname, normalize } from "node:path";
import type { DirectoryLock, FileSystem, OpenFile } from "@orgloop/files";
import {
  apply,
  CrashDisk,
  type Fault,
  type FileOperation,
  failure,
  type NameChange,
} from "./crash-disk.ts";
import { CrashFile } from "./crash-file.ts";

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
  const disk = new CrashDisk(durable, current, changes);
  const locked = new Set<string>();
  return {
    fileSystem: fileSystemOf(disk),
    get fault() {
      return disk.fault;
    },
    set fault(fault) {
      disk.fault = fault;
    },
    get capacity() {
      return disk.capacity;
    },
    set capacity(bytes) {
      disk.capacity = bytes;
    },
    get crashAt() {
      return disk.crashAt;
    },
    set crashAt(operation) {
      disk.crashAt = operation;
    },
    powerCuts,
    get operations() {
      return disk.operations;
    },
    crashed: disk.crashed.promise,
    crash(random) {
      disk.crashAt = 0;
      const after = afterPowerCut(disk, random);
      return create(after(), after(), [], powerCuts + 1);
    },
    restart() {
      disk.crashAt = 0;
      return create(durable, current, disk.unsynced, powerCuts);
    },
    files: () => new Map(Array.from(current, ([path, file]) => [path, file.bytes()])),
    tamper: (path, change) => tamper(disk, normalize(path), change),
    async lock(dir) {
      if (locked.has(dir)) throw failure("LOCKED", { kind: "open", path: dir });
      locked.add(dir);
      return { release: async () => void locked.delete(dir) };
    },
  };
}

function fileSystemOf(disk: CrashDisk): FileSystem {
  const { current } = disk;
  return {
    async open(given, mode) {
      const path = normalize(given);
      const operation: FileOperation = { kind: "open", path };
      await disk.passing(operation);
      let file = current.get(path);
      if (mode === "create" && file !== undefined) throw failure("EEXIST", operation);
      if (file === undefined) {
        if (mode === "read" || mode === "update") throw failure("ENOENT", operation);
        file = new CrashFile();
        disk.change({ dir: dirname(path), add: { path, file } });
      } else if (mode === "replace") file.truncate(0);
      return openFile(disk, path, file);
    },
    async list(dir) {
      await disk.passing({ kind: "list", path: dir });
      const prefix = `${normalize(dir)}/`;
      const below = [...current.keys()].filter((path) => path.startsWith(prefix));
      return [...new Set(below.map((path) => path.slice(prefix.length).split("/")[0] as string))];
    },
    // Directories are nothing by themselves here.
    async removeDirectory() {},
    makeDirectory: (dir) => disk.passing({ kind: "makeDirectory", path: dir }),
    async rename(from, to) {
      const operation: FileOperation = { kind: "rename", path: from };
      await disk.passing(operation);
      const file = current.get(normalize(from));
      if (file === undefined) throw failure("ENOENT", operation);
      const path = normalize(to);
      disk.change({ dir: dirname(path), remove: normalize(from), add: { path, file } });
    },
    async remove(path) {
      const operation: FileOperation = { kind: "remove", path };
      await disk.passing(operation);
      if (!current.has(normalize(path))) throw failure("ENOENT", operation);
      disk.change({ dir: dirname(normalize(path)), remove: normalize(path) });
    },
    syncDirectory: (dir) => disk.syncDirectory(dir),
    async openDirectory(dir) {
      await disk.passing({ kind: "open", path: dir });
      return { sync: () => disk.syncDirectory(dir), close: async () => {} };
    },
  };
}

function openFile(disk: CrashDisk, path: string, file: CrashFile): OpenFile {
  return {
    async write(bytes, position) {
      const operation: FileOperation = { kind: "write", path, bytes: bytes.length };
      const fault = await disk.step(operation);
      const growth = Math.max(0, position + bytes.length - file.size);
      const fits = disk.roomFor(bytes.length, growth);
      const taken = fault === null ? fits : Math.min(fault.written ?? 0, fits);
      if (taken > 0) file.write(Buffer.from(bytes.subarray(0, taken)), position);
      if (fault !== null) throw failure(fault.code, operation);
      if (taken === 0 && bytes.length > 0) throw failure("ENOSPC", operation);
      return taken;
    },
    async read(into, position) {
      await disk.passing({ kind: "read", path });
      return file.read(into, position);
    },
    async size() {
      await disk.passing({ kind: "size", path });
      return file.size;
    },
    async truncate(size) {
      await disk.passing({ kind: "truncate", path });
      file.truncate(size);
    },
    async sync() {
      const operation: FileOperation = { kind: "sync", path };
      const fault = await disk.step(operation);
      if (fault !== null) {
        file.failSync();
        throw failure(fault.code, operation);
      }
      file.sync();
    },
    isRemoved: () => ![...disk.current.values()].includes(file),
    async close() {},
  };
}

/** One of the legal states after a power cut; each call gives a map of its own of the files. */
function afterPowerCut(
  { durable, unsynced }: CrashDisk,
  random: () => number,
): () => Map<string, CrashFile> {
  const share = shareKept(random);
  const names = new Map(durable);
  for (const each of unsynced) if (random() < share) apply(names, each);
  const copies = new Map<CrashFile, CrashFile>();
  return () =>
    new Map(
      Array.from(names, ([path, file]) => {
        const copy = copies.get(file) ?? file.crash(random, share);
        copies.set(file, copy);
        return [path, copy] as const;
      }),
    );
}

function tamper(
  { current, durable }: CrashDisk,
  path: string,
  change: (bytes: Buffer) => Buffer | null,
): void {
  const file = current.get(path);
  if (file === undefined) throw failure("ENOENT", { kind: "open", path });
  const changed = change(file.bytes());
  if (changed !== null) return void file.replace(changed);
  for (const names of [current, durable]) names.delete(path);
}

/** How much of what is unsynced survives: often nothing or everything, as on real disks. */
function shareKept(random: () => number): number {
  const kind = random();
  return kind < 0.2 ? 0 : kind < 0.4 ? 1 : random();
}
