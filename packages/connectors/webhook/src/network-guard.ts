import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { OrgLoopError } from "@orgloop/sdk";

/** Keeps requests away from private networks: an address is looked at when the connection is made, and no other is connected to. */
export interface NetworkGuard {
  /** For `http.request`: what a name stands for, where it may be reached. */
  readonly lookup: LookupFunction;
  /** Throws `PRIVATE_ADDRESS` where `hostname` is an address that may not be reached; names are seen by `lookup`. */
  check(hostname: string): void;
}

type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** What is not for the public (IANA, IPv4 Special-Purpose Address Registry), multicast and the reserved rest. */
const PRIVATE_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
];
/** All of IPv6 that is for the public (RFC 4291, section 2.4) … */
const GLOBAL_V6 = ["2000::/3"];
/** … but for Teredo and other protocols, documentation and 6to4, which may hold any IPv4 address. */
const PRIVATE_V6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];
/** IPv4 in IPv6: mapped (RFC 4291, 2.5.5.2) and translated (RFC 6052, 2.1). */
const HOLDS_V4 = ["::ffff:0:0/96", "64:ff9b::/96"];

const privateV4 = listOf(PRIVATE_V4);
const globalV6 = listOf(GLOBAL_V6);
const privateV6 = listOf(PRIVATE_V6);
const holdsV4 = listOf(HOLDS_V4);

/** `allowPrivate`: private ranges (CIDR), addresses and names of hosts that may be reached all the same. */
export function networkGuard(
  allowPrivate: readonly string[],
  resolve: Resolve = dnsLookup,
): NetworkGuard {
  const isAddress = (entry: string) => isIP(entry.split("/")[0] ?? "") !== 0;
  const allowed = listOf(allowPrivate.filter(isAddress));
  const hosts = new Set(
    allowPrivate.filter((entry) => !isAddress(entry)).map((entry) => entry.toLowerCase()),
  );

  function refusal(hostname: string, address: string): OrgLoopError | null {
    if (isPublic(address) || isIn(allowed, address)) return null;
    const what = hostname === address ? address : `${hostname} is ${address},`;
    return new OrgLoopError(
      "PRIVATE_ADDRESS",
      `${what} a private address, is not reached from here: network.allow_private lets it be`,
    );
  }

  return {
    check(hostname) {
      const address = hostname.replace(/^\[|\]$/g, "");
      if (isIP(address) === 0) return;
      const error = refusal(address, address);
      if (error !== null) throw error;
    },
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, []);
        const isAllowed = hosts.has(hostname.toLowerCase());
        const refused = isAllowed
          ? null
          : addresses.map(({ address }) => refusal(hostname, address)).find((one) => one !== null);
        if (refused) return callback(refused, []);
        const [first] = addresses;
        if (options.all || first === undefined) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}

function isPublic(address: string): boolean {
  const plain = withoutZone(address);
  if (isIP(plain) === 4) return !privateV4.check(plain, "ipv4");
  if (holdsV4.check(plain, "ipv6")) return !privateV4.check(lastFourBytes(plain), "ipv4");
  return globalV6.check(plain, "ipv6") && !privateV6.check(plain, "ipv6");
}

function isIn(list: BlockList, address: string): boolean {
  const plain = withoutZone(address);
  return list.check(plain, isIP(plain) === 4 ? "ipv4" : "ipv6");
}

const withoutZone = (address: string): string => address.split("%")[0] ?? "";

/** `::ffff:7f00:1` → `127.0.0.1`. */
function lastFourBytes(address: string): string {
  const normal = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const groups = normal.split(":").map((group) => Number.parseInt(group || "0", 16));
  const [high = 0, low = 0] = groups.slice(-2);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    list.addSubnet(address, Number(bits ?? (family === "ipv4" ? 32 : 128)), family);
  }
  return list;
}
