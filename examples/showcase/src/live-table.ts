/** What is needed of a terminal, or of a pipe. */
type Screen = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean };

export interface LiveTable {
  /** Shows it in place of the one before. On a pipe nothing: it has the last one only. */
  show(text: string): void;
  /** Shows the last one, which stays. */
  end(text: string): void;
}

/** A redraw for each of some hundred events a second would be all that a terminal does. */
const REDRAW_MS = 50;

export function liveTable(screen: Screen, now: () => number = Date.now): LiveTable {
  let lines = 0;
  let shownMs = Number.NEGATIVE_INFINITY;
  const draw = (text: string) => {
    const back = lines > 0 ? `\u001b[${lines}A\u001b[J` : "";
    screen.write(`${back}${text}\n`);
    lines = screen.isTTY ? text.split("\n").length : 0;
  };
  return {
    show(text) {
      if (!screen.isTTY || now() - shownMs < REDRAW_MS) return;
      shownMs = now();
      draw(text);
    },
    end: draw,
  };
}
