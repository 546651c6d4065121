import type { FileSystem } from "@orgloop/files";
import type { LineHead } from "../format/line.ts";
import type { Position, Segment, SegmentName } from "../format/segment.ts";
import { readLines } from "./read-lines.ts";
import { readSegment } from "./read-segment.ts";

/**
 * Follows a scan and keeps where the acks stand whose notes nobody else has kept: those after line
 * `through`.
 */
export class NotedAcks {
  readonly #through: number;
  readonly #positions: Position[] = [];

  constructor(through: number) {
    this.#through = through;
  }

  line({ noted, seq }: LineHead, segment: Segment, offset: number, length: number): void {
    if (noted && seq > this.#through) this.#positions.push({ seq, segment, offset, length });
  }

  /** Reads a sealed segment that nothing else is wanted of; its sum has been checked. */
  async scan(
    dir: string,
    name: SegmentName,
    segment: Segment,
    fileSystem: FileSystem,
  ): Promise<void> {
    if (segment.through <= this.#through) return;
    const onLine = (head: LineHead, offset: number, length: number): void =>
      this.line(head, segment, offset, length);
    await readSegment(dir, name, { seal: null, synced: null, onLine }, fileSystem);
  }

  async read(dir: string, fileSystem: FileSystem, onNote: (note: string) => void): Promise<void> {
    for await (const bytes of readLines(dir, this.#positions, fileSystem)) {
      onNote((JSON.parse(bytes.toString("utf8")) as { note: string }).note);
    }
  }
}
