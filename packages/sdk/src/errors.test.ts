import { expect, test } from "vitest";
import { messageOf } from "./errors.ts";

const of = (code: string, call: string, path: string) =>
  Object.assign(new Error(`${code}: permission denied, ${call} '${path}'`), { code });

test("what may not be touched is told in words, with the file and what forbids it", () => {
  expect(messageOf(of("EACCES", "open", "/home/o'neil/x y.yaml"))).toBe(
    "/home/o'neil/x y.yaml may not be opened (EACCES): its owner or mode forbids it to the user that runs this",
  );
  expect(messageOf(of("EPERM", "mkdir", "/x"))).toMatch(/^\/x may not be made \(EPERM\)/);
  expect(messageOf(of("EACCES", "scandir", "/x"))).toMatch(/^\/x may not be read \(EACCES\)/);
});

test("anything else says what it says", () => {
  expect(messageOf(of("ENOENT", "open", "/x"))).toBe("ENOENT: permission denied, open '/x'");
  expect(messageOf(new Error("EACCES: permission denied, open '/x'"))).toMatch(/^EACCES/);
  expect(messageOf("text")).toBe("text");
});
