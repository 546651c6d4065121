import { secretForms } from "./secret-forms.ts";

/** A text without the secrets that it holds: each is `***`. */
export type MaskSecrets = (text: string) => string;

/** Shorter ones are no secrets: their letters stand in any text (`config-at-scale.md`). */
export const LEAST_SECRET = 8;
/** So much of a secret at a place where a text was cut is taken for its rest. */
const LEAST_REST = 4;
const MASK = "***";
/** Where somebody has left out something, as `JSON.parse` does in its errors. */
const CUTS = /(\s?"?(?:\.\.\.|…)"?\s?)/;

/** Masks `secrets`, those of {@link LEAST_SECRET} characters and more, in every form of theirs, also where the text was cut within one. */
export function secretMask(secrets: Iterable<string>): MaskSecrets {
  const forms = [...new Set(secrets)]
    .filter(({ length }) => length >= LEAST_SECRET)
    .flatMap(secretForms);
  if (forms.length === 0) return (text) => text;
  const index = formIndex(forms);
  const mask = (text: string): string => maskPart(text, forms, index);
  return (text) => {
    const masked = mask(text);
    if (!masked.includes("...") && !masked.includes("…")) return masked;
    const parts = masked.split(CUTS);
    return parts.map((part, at) => (at % 2 === 1 ? part : mask(part))).join("");
  };
}

interface FormIndex {
  /** By their first {@link LEAST_SECRET} characters, longest first. */
  readonly byStart: ReadonlyMap<string, readonly string[]>;
  /** What they begin with that is shorter than that. */
  readonly shortStarts: ReadonlySet<string>;
}

function formIndex(forms: readonly string[]): FormIndex {
  const byStart = new Map<string, string[]>();
  const shortStarts = new Set<string>();
  for (const form of [...forms].sort((left, right) => right.length - left.length)) {
    const start = form.slice(0, LEAST_SECRET);
    byStart.set(start, [...(byStart.get(start) ?? []), form]);
    for (let length = LEAST_REST; length < LEAST_SECRET; length += 1) {
      shortStarts.add(form.slice(0, length));
    }
  }
  return { byStart, shortStarts };
}

function maskPart(text: string, forms: readonly string[], index: FormIndex): string {
  let done = restAtStart(text, forms);
  let masked = done > 0 ? MASK : "";
  for (let at = done; at <= text.length - LEAST_REST; ) {
    const length = secretAt(text, at, index);
    if (length === 0) at += 1;
    else {
      masked += text.slice(done, at) + MASK;
      at += length;
      done = at;
    }
  }
  return masked + text.slice(done);
}

/** How long the secret is that begins there; the text may end within it. 0: none does. */
function secretAt(text: string, at: number, { byStart, shortStarts }: FormIndex): number {
  const start = text.slice(at, at + LEAST_SECRET);
  const left = text.length - at;
  if (start.length < LEAST_SECRET) return shortStarts.has(start) ? left : 0;
  const forms = byStart.get(start);
  if (forms === undefined) return 0;
  const whole = forms.find((form) => text.startsWith(form, at));
  if (whole !== undefined) return whole.length;
  return forms.some((form) => form.length > left && form.startsWith(text.slice(at))) ? left : 0;
}

/** How long the end of a secret is that the text begins with. */
function restAtStart(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    for (let at = form.indexOf(text.slice(0, LEAST_REST), 1); at > 0; ) {
      const rest = form.length - at;
      if (rest < LEAST_REST) break;
      if (rest > longest && text.startsWith(form.slice(at))) longest = rest;
      at = form.indexOf(text.slice(0, LEAST_REST), at + 1);
    }
  }
  return text.length < LEAST_REST ? 0 : longest;
}
