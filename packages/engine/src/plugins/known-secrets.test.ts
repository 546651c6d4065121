import { hasCode, isPermanent, OrgLoopError, PermanentError, RetryAfterError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { maskedError } from "./masked-error.ts";
import { knownSecrets } from "./secret-mask.ts";

test("what an item holds is masked, and what it held before as long as that may still run", () => {
  const known = knownSecrets();
  const text = "secret-of-a secret-of-b";
  expect(known.mask(text)).toBe(text);
  known.learn("a", ["secret-of-a"]);
  known.learn("b", ["secret-of-b"]);
  expect(known.mask(text)).toBe("*** ***");
  for (let n = 0; n < 7; n += 1) {
    known.learn("a", [`another-${n}`]);
    known.learn("a", [`another-${n}`]);
  }
  expect(known.mask(`${text} another-0 another-6`)).toBe("*** *** *** ***");
  known.learn("a", []);
  expect(known.mask(`${text} another-0`)).toBe("secret-of-a *** ***");
});

test("a masked error is what it was, but for what it says", () => {
  const mask = (text: string) => text.replaceAll("s3cret", "***");
  const cause = new Error("s3cret");
  const gone = maskedError(new PermanentError("no s3cret", { gone: true, cause }), mask) as Error;
  expect(isPermanent(gone) && gone.gone).toBe(true);
  expect(gone).toBeInstanceOf(PermanentError);
  expect([gone.message, String(gone.stack), gone.cause]).toEqual(["no ***", "no ***", undefined]);
  const later = maskedError(new RetryAfterError("s3cret", 5), mask);
  expect(hasCode(later, "RETRY_AFTER")).toBe(true);
  expect(later).toMatchObject({ message: "***", retryAfterMs: 5 });
  expect(maskedError("a s3cret", mask)).toMatchObject({ message: "a ***" });
  const plain = new OrgLoopError("X", "nothing");
  expect(maskedError(plain, mask)).toBe(plain);
});
