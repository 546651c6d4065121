/**
 * The forms in which a secret may stand in what others print: as it is, on one line, within JSON,
 * percent-encoded, and in base64 with whatever stands before and behind it; and all of these of
 * what a server reads that takes the bytes of a header for Latin-1.
 */
export function secretForms(secret: string): readonly string[] {
  const asHeader = Buffer.from(secret).toString("latin1");
  return [...new Set([secret, asHeader])].flatMap(formsOf);
}

function formsOf(secret: string): readonly string[] {
  const inBase64 = [0, 1, 2].flatMap((before) => base64Forms(secret, before));
  const forms = [secret, secret.replace(/[\s\p{Cc}]+/gu, " ").trim(), ...inBase64];
  return [...new Set([...forms, JSON.stringify(secret).slice(1, -1), ...percentForms(secret)])];
}

/**
 * What base64 makes of it behind `before` bytes, without the characters that its neighbours have a
 * part in.
 */
function base64Forms(secret: string, before: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const whole = bytes.toString("base64");
  const form = whole.slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return [form, form.replaceAll("+", "-").replaceAll("/", "_"), encodeURIComponent(form)];
}

/** As `encodeURIComponent`, RFC 3986 and forms write it, in both cases of the digits. */
function percentForms(secret: string): string[] {
  const plain = encodeURIComponent(secret.toWellFormed());
  const strict = plain.replace(
    /[!'()*]/g,
    (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const form = new URLSearchParams([["", secret]]).toString().slice("=".length);
  const forms = [plain, strict, form];
  const lower = forms.map((form) => form.replace(/%../g, (it) => it.toLowerCase()));
  return [...forms, ...lower];
}
