import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type MaskSecrets, secretMask as secretMasks } from "./secret-mask.ts";

const secretMask = (secrets: readonly string[]): MaskSecrets => secretMasks(secrets).mask;

const TOKEN = "sk-live/9f+Zq 7\"ü\\x'(!)";
const around = fc.string({ unit: fc.constantFrom("~", "|", ";"), maxLength: 9 });
const secret = fc.string({ minLength: 8, maxLength: 60, unit: "grapheme" });
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("no form of a secret is left", () => {
  const forms: readonly [string, (secret: string) => string][] = [
    ["as it is", (text) => text],
    ["in JSON", (text) => JSON.stringify({ token: text })],
    ["in a URL", (text) => encodeURIComponent(text)],
    ["in a form", (text) => new URLSearchParams({ a: text }).toString()],
    ["as a header's bytes are read", (text) => Buffer.from(text).toString("latin1")],
    ["on one line", (text) => text.replace(/\s+/g, " ")],
    [
      "in lower-case digits",
      (text) => encodeURIComponent(text).replace(/%../g, (it) => it.toLowerCase()),
    ],
  ];
  test.each(forms)("%s", (_, formOf) => {
    fc.assert(
      fc.property(secret, around, around, (text, before, behind) => {
        fc.pre(text.trim() === text && text.length >= 8 && text.isWellFormed());
        const masked = secretMask([text])(`${before}${formOf(text)}${behind}`);
        expect(masked).toContain("***");
        expect(masked).not.toContain(formOf(text));
        expect(masked).not.toContain(text);
      }),
    );
  });

  test("in base64, whatever stands before and behind it", () => {
    const bytes = fc.string({ maxLength: 7 });
    fc.assert(
      fc.property(secret, bytes, bytes, (text, before, behind) => {
        fc.pre(text.length >= 8 && text.isWellFormed());
        for (const alphabet of ["base64", "base64url"] as const) {
          const sent = Buffer.from(`${before}${text}${behind}`).toString(alphabet);
          const masked = secretMask([text])(`Basic ${sent}.`);
          const [left = ""] = masked.replace("Basic ", "").split("***");
          expect(masked).toContain("***");
          // One character more at most: the secret has a part in it.
          expect(left.length).toBeLessThanOrEqual(Math.ceil((Buffer.byteLength(before) * 8) / 6));
          expect(Buffer.from(masked.split("***").join(""), "base64").toString()).not.toContain(
            text,
          );
        }
      }),
    );
  });
});

test("a text that was cut within a secret shows nothing of it", () => {
  const { maskCut: mask } = secretMasks(["0123456789abcdef"]);
  expect(mask("Authorization: 0123456789ab")).toBe("Authorization: ***");
  expect(mask("Authorization: 0123")).toBe("Authorization: ***");
  expect(mask("89abcdef; next")).toBe("***; next");
  expect(mask("cdef; 0123456789abcdef")).toBe("***; ***");
  expect(mask('Unexpected token, "0123456789"... is not valid JSON')).toBe(
    'Unexpected token, "***"... is not valid JSON',
  );
  expect(mask("..." + "def 0123… and so on")).toBe("...def ***… and so on");
  expect(mask(base64("u:0123456789abcdef").slice(0, 12))).toMatch(/^.{0,4}\*\*\*$/);
});

test("of two secrets the longer one goes first, and those beside each other all go", () => {
  const mask = secretMask(["password", "password-of-the-bot", "password"]);
  expect(mask("password-of-the-bot password")).toBe("*** ***");
  expect(mask("passwordpassword-of-the-bot")).toBe("******");
});

test("where a text is not known to be cut, a few letters of a secret are a word like others", () => {
  const mask = secretMask(["no secret", "connection-pool-1"]);
  expect(mask("secret: expected whsec_, lost connect")).toBe(
    "secret: expected whsec_, lost connect",
  );
  expect(mask("ion-pool-1 and connection")).toBe("*** and ***");
  expect(mask("was conne... of it")).toBe("was ***... of it");
});

test("a secret that looks as if it was cut is found whole", () => {
  expect(secretMask(["abc...defgh"])("is abc...defgh")).toBe("is ***");
});

test("what is no secret stays as it is", () => {
  const mask = secretMask([TOKEN, "short", ""]);
  for (const text of ["", "short", "POST host:443 answered 500: {}", "sk-", "a...b…c"]) {
    expect(mask(text)).toBe(text);
  }
  expect(secretMask([])(TOKEN)).toBe(TOKEN);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("0", "1", " ", ".", "…") }), (text) => {
      expect(mask(text)).toBe(text);
    }),
  );
});

test("to mask twice is to mask once", () => {
  const mask = secretMask([TOKEN, "0123456789abcdef"]);
  const piece = fc.constantFrom(TOKEN, base64(TOKEN), "0123456789abcdef", "89abcdef", " ", "x");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const once = mask(pieces.join(""));
      expect(mask(once)).toBe(once);
    }),
  );
});
