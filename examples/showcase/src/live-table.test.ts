import { expect, test } from "vitest";
import { liveTable } from "./live-table.ts";

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, write: (text: string) => written.push(text) > 0 };
}

test("on a terminal each table takes the place of the one before, and not for every event", () => {
  const terminal = screen(true);
  let nowMs = 0;
  const table = liveTable(terminal, () => nowMs);
  table.show("a\nb");
  table.show("not yet");
  nowMs = 1_000;
  table.show("c");
  table.end("d\ne");
  expect(terminal.written).toEqual(["a\nb\n", "\u001b[2A\u001b[Jc\n", "\u001b[1A\u001b[Jd\ne\n"]);
});

test("in a pipe there is the last table only", () => {
  const pipe = screen(false);
  const table = liveTable(pipe);
  for (let at = 0; at < 330; at += 1) table.show(String(at));
  table.end("all");
  expect(pipe.written).toEqual(["all\n"]);
});
