/** What can happen to a file on a disk that is ill, or under a hand that slips. */
export const DAMAGES = [
  "flipped bit",
  "zeroed bytes",
  "zeroed sectors",
  "zeroed line end",
  "truncated",
  "truncated to whole lines",
  "emptied",
  "removed",
  "line twice",
  "lines swapped",
  "line removed",
  "garbage appended",
  "garbage line appended",
] as const;
export type DamageKind = (typeof DAMAGES)[number];

const SECTOR_BYTES = 512;

/**
 * `bytes` with one damage; null: the file is removed; the same bytes where there is nothing to
 * damage in this way. `random` yields numbers in [0, 1).
 */
export function damaged(bytes: Buffer, kind: DamageKind, random: () => number): Buffer | null {
  const zeroed = (from: number, to: number) => changed.fill(0, from, Math.min(to, bytes.length));
  const upTo = (limit: number) => Math.floor(random() * limit);
  const changed = Buffer.from(bytes);
  const at = upTo(bytes.length);
  switch (kind) {
    case "flipped bit":
      if (bytes.length > 0) changed[at] = (changed[at] as number) ^ (1 << upTo(8));
      return changed;
    case "zeroed bytes":
      return zeroed(at, at + 1 + upTo(64));
    case "zeroed sectors": {
      const start = at - (at % SECTOR_BYTES);
      return zeroed(start, start + SECTOR_BYTES * (1 + upTo(3)));
    }
    case "zeroed line end": {
      const end = bytes.indexOf("\n", at);
      return end < 0 ? changed : zeroed(Math.max(0, end - upTo(30)), end + 1 + upTo(30));
    }
    case "truncated":
      return changed.subarray(0, at);
    case "truncated to whole lines":
      return changed.subarray(0, bytes.subarray(0, at).lastIndexOf("\n") + 1);
    case "emptied":
      return Buffer.alloc(0);
    case "removed":
      return null;
    case "garbage appended":
      return Buffer.concat([bytes, garbage(1 + upTo(700), random)]);
    case "garbage line appended":
      return Buffer.concat([bytes, garbage(upTo(200), random), Buffer.from("\n")]);
    default:
      return relined(bytes, kind, random);
  }
}

function relined(bytes: Buffer, kind: DamageKind, random: () => number): Buffer {
  const lines = linesOf(bytes);
  const index = Math.floor(random() * lines.length);
  const line = lines[index];
  if (line === undefined) return bytes;
  const other = Math.floor(random() * lines.length);
  if (kind === "line twice") lines.splice(index, 0, line);
  else if (kind === "line removed") lines.splice(index, 1);
  else [lines[index], lines[other]] = [lines[other] as Buffer, line];
  return Buffer.concat(lines);
}

/** With their ends. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf("\n", start);
    const next = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(start, next));
    start = next;
  }
  return lines;
}

function garbage(length: number, random: () => number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}
