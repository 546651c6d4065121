import { isDeepStrictEqual } from "node:util";
import { secretForms } from "./secret-forms.ts";

/** A text without the secrets that it holds: each is `***`. */
export type MaskSecrets = (text: string) => string;

/** Shorter ones are no secrets: their letters stand in any text (`docs/configuration.md`). */
export const MIN_SECRET = 8;
/**
 * So much of a secret at the place where a text is known to be cut is taken for its rest; elsewhere
 * that is a word like others.
 */
const MIN_REST = 4;
const MASK = "***";
/** Where somebody has left out something, as `JSON.parse` does in its errors. */
const CUTS = /(\s?"?(?:\.\.\.|…)"?\s?)/;

export interface SecretMask {
  /**
   * Also at the ends of a text, where it may have been cut: {@link MIN_SECRET} characters of a
   * secret and more.
   */
  readonly mask: MaskSecrets;
  /** For a text that was cut at one of its ends, perhaps within a secret. */
  readonly maskCut: MaskSecrets;
}

/** Masks `secrets`, those of {@link MIN_SECRET} characters and more, in every form of theirs. */
export function secretMask(secrets: Iterable<string>): SecretMask {
  const long = [...new Set(secrets)].filter(({ length }) => length >= MIN_SECRET);
  const forms = long.flatMap(secretForms);
  if (forms.length === 0) return { mask: (text) => text, maskCut: (text) => text };
  const index = formIndex(forms);
  const masking = (least: number) => (text: string) => {
    const masked = maskPart(text, { forms, index, start: least, end: least });
    if (!masked.includes("...") && !masked.includes("…")) return masked;
    const parts = masked.split(CUTS);
    return parts
      .map((part, at) => {
        if (at % 2 === 1) return part;
        const [start, end] = [at === 0, at === parts.length - 1].map((own) =>
          own ? least : MIN_REST,
        );
        return maskPart(part, { forms, index, start: start ?? least, end: end ?? least });
      })
      .join("");
  };
  return { mask: masking(MIN_SECRET), maskCut: masking(MIN_REST) };
}

interface FormIndex {
  /** By their first {@link MIN_SECRET} characters, longest first. */
  readonly byStart: ReadonlyMap<string, readonly string[]>;
  /** What they begin with that is shorter than that. */
  readonly shortStarts: ReadonlySet<string>;
}

function formIndex(forms: readonly string[]): FormIndex {
  const byStart = new Map<string, string[]>();
  const shortStarts = new Set<string>();
  for (const form of [...forms].sort((left, right) => right.length - left.length)) {
    const start = form.slice(0, MIN_SECRET);
    byStart.set(start, [...(byStart.get(start) ?? []), form]);
    for (let length = MIN_REST; length < MIN_SECRET; length += 1) {
      shortStarts.add(form.slice(0, length));
    }
  }
  return { byStart, shortStarts };
}

interface Masking {
  readonly forms: readonly string[];
  readonly index: FormIndex;
  /** How much of a secret the text may begin and end with. */
  readonly start: number;
  readonly end: number;
}

function maskPart(text: string, masking: Masking): string {
  let done = restAtStart(text, masking);
  let masked = done > 0 ? MASK : "";
  for (let at = done; at <= text.length - MIN_REST; ) {
    const length = secretAt(text, at, masking);
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
function secretAt(text: string, at: number, { index, end }: Masking): number {
  const start = text.slice(at, at + MIN_SECRET);
  const left = text.length - at;
  if (start.length < MIN_SECRET) return left >= end && index.shortStarts.has(start) ? left : 0;
  const forms = index.byStart.get(start);
  if (forms === undefined) return 0;
  const whole = forms.find((form) => text.startsWith(form, at));
  if (whole !== undefined) return whole.length;
  return forms.some((form) => form.length > left && form.startsWith(text.slice(at))) ? left : 0;
}

/** How long the end of a secret is that the text begins with. */
function restAtStart(text: string, { forms, start: least }: Masking): number {
  if (text.length < least) return 0;
  const start = text.slice(0, least);
  let longest = 0;
  for (const form of forms) {
    for (let at = form.indexOf(start, 1); at > 0; at = form.indexOf(start, at + 1)) {
      const rest = form.length - at;
      if (rest > longest && text.startsWith(form.slice(at))) longest = rest;
    }
  }
  return longest;
}

/** The secrets that a project or a function has in its memory. */
export interface KnownSecrets extends SecretMask {
  /**
   * What an item holds from now on; what it held before is still masked, since what runs may still
   * use it.
   */
  learn(item: string, values: readonly string[]): void;
}

/** So many configurations of an item: some may have failed to open since the one that runs. */
const MAX_CONFIGURATIONS = 8;

export function knownSecrets(): KnownSecrets {
  const byItem = new Map<string, readonly (readonly string[])[]>();
  let current: SecretMask | undefined;
  const masks = (): SecretMask => {
    current ??= secretMask([...byItem.values()].flat(2));
    return current;
  };
  return {
    learn(item, values) {
      const before = byItem.get(item) ?? [];
      if (isDeepStrictEqual(values, before[0] ?? [])) return;
      byItem.set(item, [values, ...before].slice(0, MAX_CONFIGURATIONS));
      current = undefined;
    },
    mask: (text) => masks().mask(text),
    maskCut: (text) => masks().maskCut(text),
  };
}
