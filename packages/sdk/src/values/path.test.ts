import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WrittenNumber } from "./json.ts";
import { getPath, isPath, setPath, splitPath } from "./path.ts";

describe("splitPath", () => {
  test.each(["", "a..b", ".a", "a.__proto__.b", "constructor", "a.prototype"])(
    "%j is refused",
    (path) => {
      expect(() => splitPath(path)).toThrow(expect.objectContaining({ code: "INVALID_PATH" }));
    },
  );
});

test("a dot in a key is written with a backslash, and any other backslash is one", () => {
  expect(splitPath("payload.a\\.b.c")).toEqual(["payload", "a.b", "c"]);
  expect(splitPath("a\\.")).toEqual(["a."]);
  expect(splitPath("a\\b")).toEqual(["a\\b"]);
  expect(isPath("a\\.")).toBe(true);
  expect(isPath("a\\.b.")).toBe(false);
  expect(isPath("payload.prototype")).toBe(false);
});

describe("getPath", () => {
  test("sees own properties and indices, nothing inherited", () => {
    const value = { a: [{ b: 1 }], s: "text" };
    expect(getPath(value, ["a", "0", "b"])).toBe(1);
    expect(getPath(value, ["toString"])).toBeUndefined();
    expect(getPath(value, ["a", "map"])).toBeUndefined();
    expect(getPath(value, ["s", "length"])).toBeUndefined();
  });

  test("a number that is kept as it was written is a leaf", () => {
    const id = new WrittenNumber("12345678901234567890");
    expect(getPath({ id }, ["id"])).toBe(id);
    expect(getPath({ id }, ["id", "rawJSON"])).toBeUndefined();
    expect(getPath({ id: { rawJSON: "1" } }, ["id", "rawJSON"])).toBe("1");
    expect(setPath({ id }, ["id", "x"], 1)).toEqual({ id: { x: 1 } });
  });
});

describe("setPath", () => {
  test("what was set is read back, the original is as it was", () => {
    const name = fc.constantFrom("a", "b", "c");
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(1, null, "x"),
        fc.dictionary(name, tie("node")),
      ),
    })).node;
    fc.assert(
      fc.property(tree, fc.array(name, { minLength: 1, maxLength: 4 }), (value, path) => {
        const before = structuredClone(value);
        expect(getPath(setPath(value, path, "leaf"), path)).toBe("leaf");
        expect(value).toEqual(before);
      }),
    );
  });

  test("arrays: an index, or the next one", () => {
    expect(setPath({ a: [1] }, ["a", "1"], 2)).toEqual({ a: [1, 2] });
    expect(() => setPath({ a: [1] }, ["a", "4000000000"], 2)).toThrow("no index");
    expect(() => setPath({ a: [1] }, ["a", "length"], 0)).toThrow("no index");
  });

  test("what the path does not touch is shared", () => {
    const value = { a: { x: 1 }, b: { y: 1 } };
    expect((setPath(value, ["a", "x"], 2) as typeof value).b).toBe(value.b);
  });
});
