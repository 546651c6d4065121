import { createInterface } from "node:readline/promises";
import { type Style, terminalText } from "./terminal-text.ts";

export type { Style };

/**
 * Results go to stdout, all else to stderr; with `--json`, stdout gets one document and nothing
 * else.
 */
export interface Output {
  /** The result of the command: `json` with `--json`, else `text`. Once a command. */
  result(json: unknown, text: string): void;
  /** A part of a result that comes in pieces; the command sees to the form itself. */
  write(text: string): void;
  /** On a terminal in place of the frame before; elsewhere below it. */
  frame(text: string): void;
  /** Progress and hints; silent with `--quiet`. */
  note(text: string): void;
  /**
   * What goes on, on one line of a terminal that the next one replaces; null clears it. Nothing in
   * a pipe.
   */
  progress(text: string | null): void;
  /** Silent never. */
  warn(text: string): void;
  error(text: string): void;
  /** Whether stdout already has its document. */
  readonly answered: boolean;
  /** `text` in colour where stdout shows colours. */
  style(style: Style, text: string): string;
  /** The same for what is noted. */
  noteStyle(style: Style, text: string): string;
  /** Asks on the terminal; null where there is none to ask on. */
  confirm(question: string): Promise<boolean | null>;
}

const CLEAR = "\u001b[H\u001b[J";

/** The terminal or pipe that the command runs on. */
export function processOutput(flags: {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}): Output {
  let answered = false;
  const screen = terminalText();
  const styled = (stream: NodeJS.WriteStream, style: Style, text: string) =>
    flags.color ? screen.styled(stream, style, text) : text;
  const say = (text: string) => process.stderr.write(`${screen.shown(text)}\n`);
  return {
    get answered() {
      return answered;
    },
    result(json, text) {
      if (!flags.json) {
        if (text !== "") process.stdout.write(`${screen.shown(text)}\n`);
      } else if (!answered) {
        process.stdout.write(`${screen.shown(JSON.stringify(json, null, 2))}\n`);
      }
      answered = true;
    },
    write(text) {
      answered = true;
      process.stdout.write(screen.shown(text));
    },
    frame(text) {
      answered = true;
      const { isTTY, rows = 24 } = process.stdout;
      // Home, and nothing below; what would scroll is cut, so that the top stays in place.
      const shown = isTTY ? text.split("\n").slice(0, Math.max(1, rows - 1)) : [text, ""];
      process.stdout.write(`${isTTY ? CLEAR : ""}${screen.shown(shown.join("\n"))}\n`);
    },
    note(text) {
      if (!flags.quiet) say(text);
    },
    progress(text) {
      if (flags.quiet || !process.stderr.isTTY) return;
      process.stderr.write(`\r\u001b[K${screen.shown(text ?? "")}`);
    },
    warn(text) {
      say(`${styled(process.stderr, "yellow", "warning:")} ${text}`);
    },
    error(text) {
      say(`${styled(process.stderr, "red", "error:")} ${text}`);
    },
    style: (style, text) => styled(process.stdout, style, text),
    noteStyle: (style, text) => styled(process.stderr, style, text),
    async confirm(question) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      const answer = await prompt.question(`${screen.shown(question)} [y/N] `);
      prompt.close();
      return /^y(es)?$/i.test(answer.trim());
    },
  };
}

/** A reader that went away (`orgloop logs | head`) is no error: the command ends quietly. */
export function endOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
}
