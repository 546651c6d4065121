import { normalize } from "node:path";
import type { CrashFile } from "./crash-file.ts";

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

/** A change of names not yet synced. A rename is one change: it is kept or lost as a whole. */
export interface NameChange {
  readonly dir: string;
  readonly remove?: string;
  readonly add?: { readonly path: string; readonly file: CrashFile };
}

/** The files of a disk, by path, and the faults of its operations. */
export class CrashDisk {
  /** As a power cut leaves them at least. */
  readonly durable: Map<string, CrashFile>;
  /** As they are now. */
  readonly current: Map<string, CrashFile>;
  unsynced: NameChange[];
  fault: ((operation: FileOperation) => Fault | null) | null = null;
  capacity = Number.POSITIVE_INFINITY;
  crashAt = Number.POSITIVE_INFINITY;
  operations = 0;
  readonly crashed = Promise.withResolvers<void>();

  constructor(
    durable: Map<string, CrashFile>,
    current: Map<string, CrashFile>,
    unsynced: NameChange[],
  ) {
    this.durable = durable;
    this.current = current;
    this.unsynced = unsynced;
  }

  async step(operation: FileOperation): Promise<Fault | null> {
    this.operations += 1;
    if (this.operations >= this.crashAt) await this.#death();
    await Promise.resolve();
    if (this.crashAt === 0) await this.#death();
    return this.fault?.(operation) ?? null;
  }

  /** A step that fails where there is a fault. */
  async passing(operation: FileOperation): Promise<void> {
    const fault = await this.step(operation);
    if (fault !== null) throw failure(fault.code, operation);
  }

  change(next: NameChange): void {
    apply(this.current, next);
    this.unsynced.push(next);
  }

  async syncDirectory(dir: string): Promise<void> {
    await this.passing({ kind: "syncDirectory", path: dir });
    const synced = normalize(dir);
    for (const each of this.unsynced) if (each.dir === synced) apply(this.durable, each);
    this.unsynced = this.unsynced.filter((each) => each.dir !== synced);
  }

  /** How many of `bytes` that would make the files grow by `growth` have room. */
  roomFor(bytes: number, growth: number): number {
    let used = 0;
    for (const file of this.current.values()) used += file.size;
    const room = Math.max(0, this.capacity - used);
    return growth > room ? Math.max(0, bytes - (growth - room)) : bytes;
  }

  #death(): Promise<never> {
    this.crashed.resolve();
    return new Promise(() => undefined);
  }
}

export function apply(names: Map<string, CrashFile>, change: NameChange): void {
  if (change.remove !== undefined) names.delete(change.remove);
  if (change.add !== undefined) names.set(change.add.path, change.add.file);
}

export function failure(code: string, { kind, path }: FileOperation): Error {
  return Object.assign(new Error(`${code}: ${kind} ${path}`), { code });
}
