import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { OrgLoopError, type PluginContext } from "@orgloop/sdk";
import ipaddr, { type IPv4, type IPv6 } from "ipaddr.js";

/** How what is opened reaches others; what it may not reach fails with `PRIVATE_ADDRESS`. */
export type Network = Pick<PluginContext, "fetch" | "lookup">;

type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Everything may be reached. */
const OPEN: Network = { fetch: (...request) => fetch(...request), lookup: dnsLookup };

/**
 * Keeps requests away from private networks: an address is looked at when the connection is made,
 * and no other is connected to. `allowPrivate`: private ranges (CIDR), addresses and names of hosts
 * that may be reached all the same; undefined: everything may be.
 */
export function guardedNetwork(
  allowPrivate: readonly string[] | undefined,
  resolve: Resolve = dnsLookup,
): Network {
  if (allowPrivate === undefined) return OPEN;
  const reach = reachOf(allowPrivate);
  const lookup = guardedLookup(reach, resolve);
  let dispatcher: Dispatcher | undefined;
  return {
    lookup,
    fetch(input, init) {
      dispatcher ??= guardedDispatcher(reach, lookup);
      return fetch(input, { ...init, dispatcher } as RequestInit);
    },
  };
}

/**
 * An address is passed on as it is: whoever connects to one without a lookup asks for it here
 * first.
 */
function guardedLookup(reach: Reach, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const isAllowed = reach.allowsName(hostname);
      const refused = addresses.find(({ address }) => !isAllowed && !reach.allows(address));
      if (refused) return callback(refusal(hostname, refused.address), []);
      const [first] = addresses;
      if (options.all || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function refusal(hostname: string, address: string): OrgLoopError {
  const what = hostname === address ? address : `${hostname} is ${address},`;
  return new OrgLoopError(
    "PRIVATE_ADDRESS",
    `${what} a private address, is not reached from here: network.allow_private lets it be`,
  );
}

/** What Node's `fetch` sends a request by, redirects as well. */
interface Dispatcher {
  dispatch(request: { readonly origin?: string | URL }, handler: unknown): boolean;
}

/**
 * Where Node keeps the one of its own: undici as a dependency would be half a megabyte of each
 * function.
 */
const GLOBAL_DISPATCHER = Symbol.for("undici.globalDispatcher.1");

function guardedDispatcher(reach: Reach, lookup: LookupFunction): Dispatcher {
  // Node loads what it fetches with when somebody first asks for a part of it.
  void Response;
  const own = (globalThis as { [GLOBAL_DISPATCHER]?: object })[GLOBAL_DISPATCHER];
  const Agent = own?.constructor as new (options: object) => Dispatcher;
  const agent = new Agent({ connect: { lookup } });
  return {
    dispatch(request, handler) {
      // Nothing is looked up for an address.
      const host = new URL(request.origin ?? "").hostname.replace(/^\[|\]$/g, "");
      if (isAddress(host) && !reach.allows(host)) throw refusal(host, host);
      return agent.dispatch(request, handler);
    },
  };
}

type Address = IPv4 | IPv6;

/**
 * Private ranges, addresses and names of hosts that may be reached all the same
 * (`docs/configuration.md`, Reach).
 */
export interface Reach {
  /** Whether a host may be reached by this name, whatever it stands for. */
  allowsName(hostname: string): boolean;
  /** Whether an IP address is public, or in one of the ranges; false for what is no address. */
  allows(address: string): boolean;
}

/** All of IPv6 that is for the public (RFC 4291, section 2.4). */
const GLOBAL_V6 = ipaddr.parseCIDR("2000::/3") as [IPv6, number];
/** Of these: protocols, documentation. ipaddr.js knows the rest. */
const PRIVATE_V6 = ["2001::/23", "2001:db8::/32", "3fff::/20"].map(
  (range) => ipaddr.parseCIDR(range) as [IPv6, number],
);

/** `allowPrivate` as `network.allow_private` has it. */
export function reachOf(allowPrivate: readonly string[]): Reach {
  const ranges = allowPrivate.map(rangeOf).filter((range) => range !== null);
  const names = new Set(
    allowPrivate.filter((entry) => rangeOf(entry) === null).map((entry) => nameOf(entry)),
  );
  return {
    allowsName: (hostname) => names.has(nameOf(hostname)),
    allows(text) {
      if (!ipaddr.isValid(text)) return false;
      const address = ipaddr.parse(text);
      const inner = innerAddress(address);
      return (
        isPublic(inner) ||
        ranges.some((range) => isIn(inner, range) || (inner !== address && isIn(address, range)))
      );
    },
  };
}

/** True for an IP address in any form that a URL may have, without brackets; a name is none. */
export const isAddress = (host: string): boolean => ipaddr.isValid(host);

/** Names that stand for this machine, or its network, wherever they are asked for. */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|localdomain)$/;

/**
 * Whether a URL's host, as `new URL` gives it, is private as it is written, and `reach` does not
 * list it.
 */
export function isPrivateHost(hostname: string, reach: Reach): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (reach.allowsName(host)) return false;
  if (ipaddr.isValid(host)) return !reach.allows(host);
  return LOCAL_NAME.test(nameOf(host));
}

/** Names are compared without case and without the dot of the root. */
const nameOf = (hostname: string): string => hostname.toLowerCase().replace(/\.$/, "");

function rangeOf(entry: string): [Address, number] | null {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  if (!ipaddr.isValid(entry)) return null;
  const address = ipaddr.parse(entry);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  if (address.kind() === "ipv4") return true;
  return isIn(address, GLOBAL_V6) && !PRIVATE_V6.some((range) => isIn(address, range));
}

function isIn(address: Address, [range, bits]: [Address, number]): boolean {
  return address.kind() === range.kind() && (address as IPv6).match(range as IPv6, bits);
}

/** An IPv4 address in an IPv6 one: mapped (RFC 4291, 2.5.5.2) or translated (RFC 6052, 2.1). */
function innerAddress(address: Address): Address {
  if (address.kind() === "ipv4") return address;
  const v6 = address as IPv6;
  if (v6.isIPv4MappedAddress()) return v6.toIPv4Address();
  if (v6.range() !== "rfc6052") return address;
  return new ipaddr.IPv4(v6.toByteArray().slice(-4));
}
