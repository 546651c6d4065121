import { type DirectoryLock, type FileSystem, lockDirectory, nodeFileSystem } from "@orgloop/files";

/** Where the data directory lies: everything that a process keeps there goes through it. */
export interface Disk {
  readonly fileSystem: FileSystem;
  /** Holds a directory against every other process. Throws `LOCKED`. */
  lock(dir: string, purpose: string): Promise<DirectoryLock>;
}

/** The machine's. */
export const nodeDisk: Disk = {
  fileSystem: nodeFileSystem,
  lock: (dir, purpose) => lockDirectory(dir, { purpose }),
};
