import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "./collections.ts";

test("it agrees with a JavaScript set", () => {
  const step = fc.record({ add: fc.boolean(), value: fc.nat(12) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const fifo = new Fifo<number>();
      const set = new Set<number>();
      for (const { add, value } of steps) {
        if (add) {
          fifo.add(value);
          set.add(value);
        } else {
          fifo.delete(value);
          set.delete(value);
        }
        expect([...fifo]).toEqual([...set]);
        expect(fifo.size).toBe(set.size);
        expect(fifo.first).toBe([...set][0]);
      }
    }),
  );
});
