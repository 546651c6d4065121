import fc from "fast-check";
import { expect, test } from "vitest";
import { foreignPage, takesFromPages } from "./webhook-request.ts";

const pageOf = (headers: Readonly<Record<string, string>>) => foreignPage((name) => headers[name]);

test("what no browser marks passes, whatever else it says", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("host", "content-type", "referer"), fc.string()),
      (other) => {
        expect(pageOf(other)).toBeNull();
      },
    ),
  );
});

test.each(["http://localhost:3000", "http://127.0.0.1:4800", "https://[::1]", "http://127.8.9.1"])(
  "a page on this machine passes: %s",
  (origin) => {
    expect(pageOf({ origin, "sec-fetch-site": "same-origin" })).toBeNull();
    expect(pageOf({ origin, "sec-fetch-site": "cross-site" })).toContain("cross-site");
  },
);

test.each([
  "https://evil.example",
  "null",
  "",
  "http://localhost.evil.example",
  "http://127.0.0.1.evil.example",
  "http://evil.example/http://localhost",
  "http://localhost@evil.example",
  "http://localhost, https://evil.example",
  "file://",
  "chrome-extension://abcdef",
])("a page of another origin is told: %j", (origin) => {
  expect(pageOf({ origin })).toBe(`Origin: ${origin}`);
  expect(pageOf({ origin, "sec-fetch-site": "none" })).not.toBeNull();
});

test.each(["cross-site", "same-site", "SAME-ORIGIN", "", "anything"])(
  "another site than the browser's own is told: %j",
  (site) => {
    expect(pageOf({ "sec-fetch-site": site })).toBe(`Sec-Fetch-Site: ${site}`);
  },
);

test("a secret of the source, or `public`, lets every page in", () => {
  const config = (value: object) => takesFromPages({ config: { ...value } });
  expect(config({})).toBe(false);
  expect(config({ secret: "" })).toBe(false);
  expect(config({ secret: [] })).toBe(false);
  expect(config({ secret_name: "x", event_type_field: "secret" })).toBe(false);
  expect(config({ secret: "s" })).toBe(true);
  expect(config({ secret: ["old", "new"] })).toBe(true);
  expect(config({ signing_secret: "s" })).toBe(true);
  expect(takesFromPages({ public: true, config: {} })).toBe(true);
  expect(takesFromPages({ public: false, config: {} })).toBe(false);
});
