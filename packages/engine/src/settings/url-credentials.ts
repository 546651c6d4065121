/**
 * What stands before the `@` of a URL, wherever the URL stands in a text. A password may hold what
 * a URL must not have there (`/`, `#`): then it is one where no port could stand.
 */
const CREDENTIALS =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^/?#\s@]*(?:@[^/?#\s@]*)*|[^/?#\s@:]+:(?!\d{1,5}[/?#]|\$\{)[^\s@"'<>]*)@/gi;

/** The credentials of one URL. */
export interface UrlCredentials {
  /** The password; a user alone, or with an empty password, where that is what lets in. */
  readonly secret: string;
  /** User and password as they are written. */
  readonly whole: string;
}

/**
 * `text` with the secret of each URL's credentials replaced; the same where it has none. Over ssh a
 * user alone is no secret (`ssh://git@host`).
 */
export function replaceCredentials(
  text: string,
  replacement: (credentials: UrlCredentials) => string,
): string {
  if (!text.includes("@")) return text;
  return text.replace(CREDENTIALS, (url, scheme: string, whole: string) => {
    const colon = whole.indexOf(":");
    const password = colon < 0 ? "" : whole.slice(colon + 1);
    const user = colon < 0 ? whole : whole.slice(0, colon);
    const secret = password || user;
    if (secret === "" || (password === "" && /ssh|sftp/i.test(scheme))) return url;
    const put = replacement({ secret, whole });
    return `${scheme}${password === "" ? `${put}${whole.slice(user.length)}` : `${user}:${put}`}@`;
  });
}

/** The credentials of every URL in a text. */
export function credentialsIn(text: string): UrlCredentials[] {
  const found: UrlCredentials[] = [];
  replaceCredentials(text, (one) => {
    found.push(one);
    return one.secret;
  });
  return found;
}

/**
 * `text` without what stands before the `@` of each URL, as it may be shown where nobody asks who
 * is let in.
 */
export const withoutUserinfo = (text: string): string => text.replace(CREDENTIALS, "$1");

/** Whether a text is nothing but references: then it shows nothing. */
export const isReference = (text: string): boolean => /^(?:\$\{[\w.]+\})*$/.test(text);
