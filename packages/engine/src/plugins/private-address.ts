import ipaddr, { type IPv4, type IPv6 } from "ipaddr.js";

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
