import { referenced } from "./references.ts";
import { credentialsIn } from "./url-credentials.ts";

/** A URL in a text; a placeholder in it may hold spaces. */
const URLS = /\b[a-z][a-z0-9+.-]{0,30}:\/\/(?:\{\{[^{}]*\}\}|[^\s"'<>`])*/gi;
/** What ends a URL where it stands in it. */
const ENDS = /[\s"'<>`]/g;
/**
 * Words stand in paths, too: of those that a reference brought, a secret is long, or not of letters
 * alone.
 */
const TOKEN = /^(?=.*\d)(?=.*[a-z]).{8,}$|^.{16,}$/i;

/**
 * What is secret of the URLs in a text: of `https://user:password@host` the password, both
 * together, and of a user alone that too; and what references (`written`) stand for in user and
 * password, path and query. Each as it is, and percent-decoded.
 */
export function secretsInUrls(written: unknown, resolved: string): readonly string[] {
  const credentials = credentialsIn(resolved).flatMap(({ secret, whole }) => [secret, whole]);
  return [...credentials, ...fromReferences(written, resolved)].flatMap((one) => [
    one,
    decoded(one),
  ]);
}

function fromReferences(written: unknown, resolved: string): string[] {
  const found = referenced(written, resolved);
  if (found.length === 0 || !resolved.includes("://")) return [];
  let text = resolved;
  for (const { value, from } of found) {
    text = text.slice(0, from) + value.replace(ENDS, "_") + text.slice(from + value.length);
  }
  return [...text.matchAll(URLS)].flatMap(({ 0: url, index }) => {
    const start = index + url.indexOf("://") + "://".length;
    const [credentials] = credentialsIn(url);
    const host = start + (credentials === undefined ? 0 : credentials.whole.length + 1);
    const length = text.slice(host, index + url.length).search(/[/?#]/);
    const path = length < 0 ? index + url.length : host + length;
    return found.flatMap(({ value, from }) => {
      const to = from + value.length;
      if (from < index ? to <= path : from >= index + url.length) return [];
      if (to <= path) return from >= start && to < host ? [value] : [];
      return parts(resolved.slice(Math.max(from, path), to));
    });
  });
}

/**
 * A value, and what of it stands by itself elsewhere where it is several steps of a path, or a
 * query.
 */
function parts(value: string): string[] {
  const [path = "", ...queries] = value.split(/[?#]/);
  const steps = path.split("/").filter((step) => TOKEN.test(step));
  const values = queries
    .flatMap((query) => query.split("&"))
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
  const found = [value, value.replace(/^\/+/, ""), ...steps, ...values];
  return found.flatMap((one) => [one, ...inRequest(one)]);
}

/**
 * As it stands in a request line: `URL` encodes what must not stand there as it is, and no more.
 */
function inRequest(value: string): string[] {
  const { search = "", pathname = "" } = URL.parse(`http://host/${value}`) ?? {};
  const query = URL.parse(`http://host/?${value}`)?.search ?? "";
  return [`${pathname}${search}`, query].map((form) => form.slice(1)).filter((one) => one !== "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
