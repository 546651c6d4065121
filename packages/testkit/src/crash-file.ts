/** What a disk writes as a whole. */
const SECTOR_BYTES = 512;

/**
 * States that a sector may have after a crash. `dirty`: the next sync makes the present one the
 * only one.
 */
interface Sector {
  versions: Buffer[];
  dirty: boolean;
}

/** One file: what the processes see, and everything that the disk may hold of it. */
export class CrashFile {
  /** What is certainly on the disk; zeros where nothing is. */
  #durable: Buffer = Buffer.alloc(0);
  #current: Buffer = Buffer.alloc(0);
  readonly #unsynced = new Map<number, Sector>();
  /** The last one is the present one; the first is certainly on the disk. */
  #sizes = [0];

  get size(): number {
    return this.#current.length;
  }

  bytes(): Buffer {
    return Buffer.from(this.#current);
  }

  read(into: Uint8Array, position: number): number {
    return this.#current.subarray(position, position + into.length).copy(into);
  }

  write(bytes: Buffer, position: number): void {
    this.#resize(Math.max(this.size, position + bytes.length));
    bytes.copy(this.#current, position);
    this.#touch(position, position + bytes.length);
  }

  truncate(size: number): void {
    const before = this.size;
    this.#resize(size);
    this.#touch(Math.min(size, before), Math.max(size, before));
  }

  sync(): void {
    this.#durable = extended(this.#durable, this.size);
    for (const [index, sector] of this.#unsynced) {
      if (!sector.dirty) continue;
      this.#sector(index, this.#current).copy(this.#durable, index * SECTOR_BYTES);
      this.#unsynced.delete(index);
    }
    this.#sizes = [this.size];
  }

  /**
   * The kernel drops the pages' dirty marks: they look written, may or may not be, and no later
   * sync writes them.
   */
  failSync(): void {
    for (const sector of this.#unsynced.values()) sector.dirty = false;
  }

  /** Now and for ever. */
  replace(bytes: Buffer): void {
    this.#current = Buffer.from(bytes);
    this.#durable = Buffer.from(bytes);
    this.#unsynced.clear();
    this.#sizes = [bytes.length];
  }

  /**
   * A file as the disk may hold it after a crash. `share`: how likely it is that an unsynced sector
   * was written.
   */
  crash(random: () => number, share: number): CrashFile {
    const size = this.#crashSize(random, share);
    const bytes = Buffer.alloc(
      Math.ceil(Math.max(size, this.#durable.length) / SECTOR_BYTES) * SECTOR_BYTES,
    );
    this.#durable.copy(bytes);
    for (const [index, { versions }] of this.#unsynced) {
      if (random() >= share) continue;
      const newest = share === 1 || random() < 0.7;
      const version =
        versions[newest ? versions.length - 1 : Math.floor(random() * versions.length)];
      version?.copy(bytes, index * SECTOR_BYTES);
    }
    const after = new CrashFile();
    after.replace(bytes.subarray(0, size));
    return after;
  }

  #crashSize(random: () => number, share: number): number {
    const present = this.size;
    if (share === 0) return this.#sizes[0] as number;
    if (share === 1) return present;
    const some = this.#sizes[Math.floor(random() * this.#sizes.length)] as number;
    if (random() < 0.5) return some;
    const low = Math.min(...this.#sizes);
    return low + Math.floor(random() * (Math.max(...this.#sizes) - low + 1));
  }

  #resize(size: number): void {
    if (size === this.size) return;
    this.#current = extended(this.#current.subarray(0, size), size);
    this.#sizes.push(size);
  }

  #touch(from: number, to: number): void {
    for (let index = Math.floor(from / SECTOR_BYTES); index * SECTOR_BYTES < to; index += 1) {
      let sector = this.#unsynced.get(index);
      if (sector === undefined) {
        sector = { versions: [], dirty: true };
        this.#unsynced.set(index, sector);
      }
      sector.versions.push(this.#sector(index, this.#current));
      sector.dirty = true;
    }
  }

  /** A copy, with zeros beyond the end. */
  #sector(index: number, bytes: Buffer): Buffer {
    const sector = Buffer.alloc(SECTOR_BYTES);
    bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES).copy(sector);
    return sector;
  }
}

function extended(bytes: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size);
  bytes.copy(result);
  return result;
}
