import { dirname } from "node:path";
import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";
import type { CheckedLinesOptions } from "./checked-lines-options.ts";
import { type OpenFile, readFully, writeFully } from "./file-system.ts";
import { type HighWaterMark, type Reached, syncedOf } from "./mark/high-water-mark.ts";
import { keepDamaged, plainBodies, soundBodies } from "./mend-lines.ts";
import type { Place } from "./read-lines.ts";
import { replaceLines } from "./rewrite-lines.ts";
import { type LineDamage, type LinesSurvey, surveyLines } from "./survey-lines.ts";

/** Of lines without checksums, or where the mark is gone. */
const UNKNOWN: Reached = { generation: 0, synced: -1 };

type OnLine = ReturnType<CheckedLinesOptions["begin"]>;

/** A file of checksummed lines as it stands, all of it durable. */
export interface OpenedLines {
  /** Null where there is none yet. */
  readonly file: OpenFile | null;
  readonly generation: number;
  /** Number of the last line; -1: not even the first is there. */
  readonly last: number;
  /** In bytes. */
  readonly size: number;
}

/**
 * Reads a file of checksummed lines, mends it where it has to be, and makes durable what was
 * written and perhaps not synced before it counts: those bytes are written once more, since after a
 * failed sync the kernel may call them clean.
 */
export async function openLines(
  options: CheckedLinesOptions,
  mark: HighWaterMark,
): Promise<OpenedLines> {
  const { path, fileSystem, begin } = options;
  const reached = await mark.read();
  const file = await openIfThere(options);
  if (file === null) return withoutFile(options, mark, reached);
  let mended = false;
  try {
    await fileSystem.syncDirectory(dirname(path));
    const survey = await surveyLines(file, reached, ownLines(path, begin()));
    mended = await mend(options, mark, reached, file, survey);
    if (!mended) return await settle(options, mark, reached, file, survey);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return openLines(options, mark);
}

/**
 * A whole line that the store cannot take is another store's: nothing is thrown away for that.
 * Throws `STORE_FOREIGN`.
 */
export function ownLines(path: string, onLine: OnLine): OnLine {
  return (body, place) => {
    try {
      onLine(body, place);
    } catch (cause) {
      throw notOwn(path, messageOf(cause), cause);
    }
  };
}

export const notOwn = (path: string, why: string, cause: unknown): OrgLoopError =>
  new OrgLoopError(
    "STORE_FOREIGN",
    `${path} is not this store's file (${why}): while nothing runs, put the right one back, or move this one away`,
    { cause },
  );

async function openIfThere({ path, fileSystem }: CheckedLinesOptions): Promise<OpenFile | null> {
  try {
    return await fileSystem.open(path, "update");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    if (hasCode(error, "EISDIR")) throw notOwn(path, "a directory", error);
    throw error;
  }
}

async function withoutFile(
  { path, advice, made, warn }: CheckedLinesOptions,
  mark: HighWaterMark,
  reached: Reached | null,
): Promise<OpenedLines> {
  const generation = (reached?.generation ?? 0) + 1;
  const lost = lostWith(reached, made?.has(path) ?? false);
  if (lost !== null) {
    warn(`${path} is gone; lost: ${lost}. ${advice}`);
    await mark.write({ generation, synced: -1 });
    await mark.sync();
  }
  return { file: null, generation, last: -1, size: 0 };
}

/** What is lost with a file that is not there; null: nothing, or it never was. */
export function lostWith(reached: Reached | null, wasMade: boolean): string | null {
  if (reached === null) return wasMade ? "all its lines, and how many they were" : null;
  return reached.synced > 0 ? `its ${reached.synced} lines` : null;
}

/** False where there is nothing to mend. */
async function mend(
  options: CheckedLinesOptions,
  mark: HighWaterMark,
  reached: Reached | null,
  file: OpenFile,
  survey: LinesSurvey,
): Promise<boolean> {
  const { path } = options;
  if (survey.kind === "empty") return false;
  if (survey.kind === "plain") {
    await upgrade(options, mark, file);
    return true;
  }
  const generation = survey.generation ?? reached?.generation ?? 1;
  const damages = [...survey.damages, ...markDamage(path, reached, survey)];
  // Without damage: a crash between a rewrite and its mark. Nobody knows whether the file's name is
  // durable.
  if (damages.length === 0 && generation === reached?.generation) return false;
  if (damages.length > 0) await keepDamaged(options, file, damages);
  const next = Math.max(generation, reached?.generation ?? 0) + 1;
  const before = knownOf(reached, survey.generation);
  await replace(options, mark, before, next, soundBodies(file, path, survey.end));
  return true;
}

/** What the mark says of the file as it stands, without what it says of another. */
function knownOf(reached: Reached | null, generation: number | null): Reached {
  if (reached === null) return UNKNOWN;
  const synced = syncedOf(reached, generation);
  return synced === null ? reached : { generation: generation ?? reached.generation, synced };
}

function markDamage(
  path: string,
  reached: Reached | null,
  { generation, bytes }: LinesSurvey,
): readonly LineDamage[] {
  const place = { offset: bytes, length: 0 };
  const damage = (reason: string, lost: number) => [{ reason, lost, line: null, place }];
  if (reached === null) {
    return damage(`its mark ${path}.mark is gone, which would tell whether its end is missing`, 0);
  }
  if (generation === null || generation >= reached.generation) return [];
  return damage("it is older than its mark: what was written later is not in it", 1);
}

async function upgrade(
  options: CheckedLinesOptions,
  mark: HighWaterMark,
  file: OpenFile,
): Promise<void> {
  await mark.write(UNKNOWN);
  await mark.sync();
  const foreign: LineDamage[] = [];
  const onForeign = (place: Place, line: number): void => {
    foreign.push({ reason: "it is no line of ours", lost: 1, line, place });
  };
  for await (const _ of plainBodies(file, options.upgrade, onForeign));
  if (foreign.length > 0) await keepDamaged(options, file, foreign);
  await replace(
    options,
    mark,
    UNKNOWN,
    1,
    plainBodies(file, options.upgrade, () => {}),
  );
}

async function replace(
  { path, fileSystem }: CheckedLinesOptions,
  mark: HighWaterMark,
  before: Reached,
  generation: number,
  bodies: AsyncIterable<Uint8Array | string>,
): Promise<void> {
  const announce = (count: number) => mark.announce(before, generation, count);
  const { lines } = await replaceLines(path, fileSystem, generation, bodies, announce);
  await mark.write({ generation, synced: lines });
  await mark.sync();
}

/** Cuts what a crash has torn, and makes durable what follows the mark. */
async function settle(
  { path, warn }: CheckedLinesOptions,
  mark: HighWaterMark,
  reached: Reached | null,
  file: OpenFile,
  { end, bytes, last, generation, unsyncedFrom }: LinesSurvey,
): Promise<OpenedLines> {
  if (end < bytes) {
    warn(`${path}: ${bytes - end} bytes that a crash had left unfinished were cut: no loss`);
    await file.truncate(end);
  }
  if (unsyncedFrom < end) {
    const tail = Buffer.alloc(end - unsyncedFrom);
    await readFully(file, tail, unsyncedFrom);
    await writeFully(file, tail, unsyncedFrom);
  }
  await file.sync();
  const opened = { file, generation: generation ?? reached?.generation ?? 1, last, size: end };
  if (last >= 0) await mark.write({ generation: opened.generation, synced: last });
  return opened;
}
