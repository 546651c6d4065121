import type { DeadLetterSummary } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { wholeId, wholeLetterIds } from "./whole-id.ts";

const hex = (start: string) => start.padEnd(32, "0");
const letter = (id: string, event: string) =>
  ({ id: `dl_${hex(id)}`, event_id: `evt_${hex(event)}` }) as DeadLetterSummary;
const LETTERS = [letter("aaaa1", "eeee1"), letter("aaaa2", "eeee2"), letter("bbbb1", "eeee2")];
let listed = 0;
const access = {
  async *list() {
    listed += 1;
    yield* LETTERS;
  },
};

test("of one candidate the whole id, of none what was given; several are refused, named", () => {
  expect(wholeId("evt_1", new Set())).toBe("evt_1");
  expect(wholeId("abcd", new Set(["evt_abcd1"]))).toBe("evt_abcd1");
  expect(wholeId("evt_abcd", new Set(["evt_abcd1", "evt_abcd"]))).toBe("evt_abcd");
  expect(() => wholeId("abcd", new Set(["evt_abcd2", "evt_abcd1"]))).toThrow(
    '"abcd" is the beginning of several ids: evt_abcd1, evt_abcd2',
  );
});

test("a letter is found by the beginning of its id, or of its event's where that has one", async () => {
  const find = (...ids: string[]) => wholeLetterIds(access, ids);
  expect(await find("bbbb")).toEqual([LETTERS[2]?.id]);
  expect(await find("dl_aaaa1", "evt_eeee1")).toEqual([LETTERS[0]?.id, LETTERS[0]?.id]);
  expect(await find(LETTERS[1]?.event_id.slice(0, 8) ?? "").catch(({ code }) => code)).toBe(
    "AMBIGUOUS_ID",
  );
  expect(await find("aaaa").catch(({ message }) => message)).toContain(
    `${LETTERS[0]?.id}, ${LETTERS[1]?.id}`,
  );
  expect(await find("dl_0", "nobody")).toEqual(["dl_0", "nobody"]);
});

test("whole ids ask for no list", async () => {
  listed = 0;
  expect(await wholeLetterIds(access, [`dl_${hex("f")}`])).toEqual([`dl_${hex("f")}`]);
  expect(listed).toBe(0);
});
