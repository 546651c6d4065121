import { createReadStream } from "node:fs";

const LINE_FEED = 10;

/**
 * The lines of a file as they stand there, without their ends. By `\n` alone: node:readline also
 * splits at U+2028 and U+2029, which may stand in JSON texts.
 */
export async function* readLines(file: string): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      const last = chunk.subarray(from, end);
      yield begun.length === 0 ? last : Buffer.concat([...begun, last]);
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}

const SPACE = 32;

/** White space alone, the end of a line that Windows has written included. */
export const isBlank = (line: Uint8Array): boolean => !line.some((byte) => byte > SPACE);
