import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import { OrgLoopError, type PluginContext } from "@orgloop/sdk";
import { isAddress, type Reach, reachOf } from "./private-address.ts";

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
