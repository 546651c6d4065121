import { randomInt } from "node:crypto";
import { styleText } from "node:util";
import { escapeControls } from "@orgloop/sdk";

export type Style = Parameters<typeof styleText>[0];

/**
 * What text becomes on its way to a terminal: colours of our own, and of what others wrote nothing
 * that steers it.
 */
export interface TerminalText {
  /** Text in a style, for {@link shown}; plain where the stream shows none. */
  styled(stream: NodeJS.WriteStream, style: Style, text: string): string;
  /**
   * Every control character but line ends and tabs as an escape, those of `styled` as they are
   * meant.
   */
  shown(text: string): string;
}

/**
 * Styles are told from those in others' text by a number that nobody else knows, until they are
 * shown.
 */
export function terminalText(): TerminalText {
  const own = randomInt(2 ** 47);
  const styles = new RegExp(`(\\u001b\\[\\d+);${own}m`);
  return {
    styled(stream, style, text) {
      const [before = "", behind = ""] = styleText(style, "|", { stream }).split("|");
      const marked = (codes: string) => codes.replaceAll("m", `;${own}m`);
      return `${marked(before)}${text}${marked(behind)}`;
    },
    shown: (text) =>
      text
        .split(styles)
        .map((part, at) => (at % 2 === 1 ? `${part}m` : escapeControls(part, "\n\t")))
        .join(""),
  };
}
