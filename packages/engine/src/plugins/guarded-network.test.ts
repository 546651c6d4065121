import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { guardedNetwork } from "./guarded-network.ts";

/** What a name stands for, as the guard passes it on, or the code of its refusal. */
function lookedUp(
  addresses: readonly string[],
  allowPrivate: readonly string[] = [],
  all = true,
): Promise<unknown> {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const { lookup } = guardedNetwork(allowPrivate, (_, options, callback) => {
    expect(options.all).toBe(true);
    callback(null, found);
  });
  return new Promise((resolve) => {
    lookup("host.example", { all }, (error, address) =>
      resolve(error === null ? address : (error as NodeJS.ErrnoException).code),
    );
  });
}

const PRIVATE = [
  "127.0.0.1",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "224.0.0.1",
  "255.255.255.255",
  "::1",
  "::",
  "fe80::1%eth0",
  "fc00::1",
  "fd00:ec2::254",
  "::ffff:127.0.0.1",
  "::ffff:a00:1",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::",
  "2001:db8::1",
  "ff02::1",
];
const PUBLIC = ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"];

describe("what a name stands for", () => {
  test.each(PRIVATE)("%s is not reached", async (address) => {
    expect(await lookedUp([address])).toBe("PRIVATE_ADDRESS");
    expect(await lookedUp(["1.1.1.1", address])).toBe("PRIVATE_ADDRESS");
  });

  test.each(PUBLIC)("%s is", async (address) => {
    expect(await lookedUp([address])).toMatchObject([{ address }]);
    expect(await lookedUp([address], [], false)).toBe(address);
  });

  test("what is allowed is reached, its neighbours are not", async () => {
    const allowed = ["10.1.0.0/16", "192.168.1.7", "fd00::/8"];
    expect(await lookedUp(["10.1.2.3"], allowed)).toMatchObject([{ address: "10.1.2.3" }]);
    expect(await lookedUp(["fd00::1"], allowed)).toMatchObject([{ address: "fd00::1" }]);
    expect(await lookedUp(["192.168.1.7"], allowed)).toMatchObject([{ address: "192.168.1.7" }]);
    expect(await lookedUp(["10.2.0.1"], allowed)).toBe("PRIVATE_ADDRESS");
    expect(await lookedUp(["192.168.1.8"], allowed)).toBe("PRIVATE_ADDRESS");
    expect(await lookedUp(["10.9.9.9"], ["Host.example"])).toMatchObject([{ address: "10.9.9.9" }]);
    expect(await lookedUp(["10.9.9.9"], ["other.example"])).toBe("PRIVATE_ADDRESS");
  });

  test("every private IPv4 address is private in IPv6 too", async () => {
    const v4 = fc.ipV4();
    await fc.assert(
      fc.asyncProperty(v4, async (address) => {
        const [plain, mapped] = [await lookedUp([address]), await lookedUp([`::ffff:${address}`])];
        expect(plain === "PRIVATE_ADDRESS").toBe(mapped === "PRIVATE_ADDRESS");
      }),
    );
  });
});

describe("fetch", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function serve(location?: string) {
    const seen: string[] = [];
    server = createServer(({ url = "" }, response) => {
      seen.push(url);
      const headers = url === "/" && location !== undefined ? { location } : {};
      response.writeHead(url === "/" && location ? 302 : 200, headers).end("body");
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port, seen };
  }

  /** The code of what kept a request from its host; or the status that it got. */
  const fetched = (url: string, allowPrivate?: readonly string[]) =>
    guardedNetwork(allowPrivate)
      .fetch(url, { headers: { connection: "close" } })
      .then(
        ({ status }) => status,
        ({ cause }) => cause.code,
      );

  test("names and every way to write an address are refused before anything is sent", async () => {
    const { port, seen } = await serve();
    const forms = ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"];
    for (const host of [...forms, "[::ffff:127.0.0.1]", "[::1]"]) {
      expect(await fetched(`http://${host}:${port}/`, [])).toBe("PRIVATE_ADDRESS");
    }
    expect(await fetched("http://169.254.169.254/latest/meta-data/", [])).toBe("PRIVATE_ADDRESS");
    expect(seen).toEqual([]);
  });

  test("what is allowed, and everything without a guard, is reached", async () => {
    const { port, seen } = await serve();
    expect(await fetched(`http://127.0.0.1:${port}/x`, ["127.0.0.0/8"])).toBe(200);
    expect(await fetched(`http://localhost:${port}/y`, ["localhost"])).toBe(200);
    expect(await fetched(`http://127.0.0.1:${port}/z`)).toBe(200);
    expect(seen).toEqual(["/x", "/y", "/z"]);
  });

  test("a redirect leads nowhere that may not be reached", async () => {
    const { port, seen } = await serve("http://169.254.169.254/");
    expect(await fetched(`http://127.0.0.1:${port}/`, ["127.0.0.1"])).toBe("PRIVATE_ADDRESS");
    server?.close();
    const other = await serve("http://[::1]/");
    expect(await fetched(`http://127.0.0.1:${other.port}/`, ["127.0.0.1"])).toBe("PRIVATE_ADDRESS");
    expect([...seen, ...other.seen]).toEqual(["/", "/"]);
  });

  test("what it is asked with is sent, and what comes back is whole", async () => {
    const { port } = await serve();
    const { fetch } = guardedNetwork(["127.0.0.1"]);
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(fetch(`http://127.0.0.1:${port}/`, { signal })).rejects.toThrow("too late");
    const request = new Request(`http://127.0.0.1:${port}/`, { method: "POST", body: "x" });
    expect(await (await fetch(request)).text()).toBe("body");
  });
});
