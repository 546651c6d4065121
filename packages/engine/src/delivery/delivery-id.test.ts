import { expect, test } from "vitest";
import { type Delivery, deliveryId } from "./delivery.ts";

test("the event's id, unless several routes or replays have to be told apart", () => {
  const of = (route: string, replay: number, several: boolean) =>
    deliveryId({ event: { id: "evt_1" }, route, replay } as Delivery, several);
  expect(of("a", 0, false)).toBe("evt_1");
  expect(of("a", 2, false)).toBe("evt_1.r2");
  const ids = [of("a", 0, true), of("b", 0, true), of("a", 1, true), of("a", 2, true)];
  expect(new Set(ids).size).toBe(4);
  expect(of("a", 0, true)).toBe(ids[0]);
});
