/**
 * A header of a request. `Origin` and `Sec-Fetch-Site` are what a browser says of itself: nothing
 * else sends them of itself.
 */
export type ReadHeader = (
  name: "origin" | "sec-fetch-site" | "content-encoding",
) => string | undefined;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/** What a page of this very origin sends, and what is typed into the browser. */
const OWN_SITES = ["none", "same-origin"];

/**
 * Which foreign page made a browser send a request, as the browser marks it; null where none did.
 * Host and Content-Type say nothing: tunnels and proxies change the first, and a page may send most
 * of the second without asking.
 */
export function foreignPage(header: ReadHeader): string | null {
  const origin = header("origin");
  if (origin !== undefined && !isLoopback(origin)) return `Origin: ${origin}`;
  const site = header("sec-fetch-site");
  if (site !== undefined && !OWN_SITES.includes(site)) return `Sec-Fetch-Site: ${site}`;
  return null;
}

/** `null`, as sandboxed pages and files send it, is no origin that anyone could trust. */
function isLoopback(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null && LOOPBACK.test(url.hostname);
}

/**
 * Whether requests of foreign pages are taken: the source's own secret guards it, or it is `public`
 * (`docs/configuration.md`).
 */
export function takesFromPages(source: {
  readonly public?: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}): boolean {
  if (source.public === true) return true;
  return Object.entries(source.config).some(([key, value]) => SECRET.test(key) && isSet(value));
}

/** `secret` of our own connectors, `signing_secret` and the like of others. */
const SECRET = /(^|[a-z]_?)secrets?$/i;

const isSet = (value: unknown): boolean =>
  Array.isArray(value) ? value.some(isSet) : typeof value === "string" && value !== "";
