import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { webhookActorConfig } from "./config.ts";
import { networkGuard } from "./network-guard.ts";
import { webhookActor } from "./webhook-actor.ts";

/** What a name stands for, as the guard passes it on; or the code of its refusal. */
function lookedUp(
  addresses: readonly string[],
  allowPrivate: readonly string[] = [],
  all = true,
): Promise<unknown> {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const { lookup } = networkGuard(allowPrivate, (_, options, callback) => {
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

describe("the actor under a guard", () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function serve(answer: (url: string) => { status: number; location?: string }) {
    const seen: string[] = [];
    server = createServer(({ url = "" }, response) => {
      seen.push(url);
      const { status, location } = answer(url);
      response.writeHead(status, location === undefined ? {} : { location }).end();
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port, seen };
  }

  async function deliver(url: string, allowPrivate?: readonly string[]) {
    const actor = webhookActor(webhookActorConfig.parse({ url }), {
      now: Date.now,
      ...(allowPrivate && { allowPrivate }),
    });
    const event = {
      id: "evt_1",
      timestamp: new Date(0).toISOString(),
      source: "s",
      type: "resource.changed",
      provenance: { platform: "test" },
      payload: {},
      trace_id: "trc_1",
    } as const;
    const { signal } = new AbortController();
    try {
      return await actor.deliver(event, { route: "r", config: {}, attempt: 1, replay: 0, signal });
    } finally {
      await actor.close?.();
    }
  }

  test("names and every way to write an address are refused before anything is sent", async () => {
    const { port, seen } = await serve(() => ({ status: 200 }));
    const hosts = ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]"];
    for (const host of hosts) {
      await expect(deliver(`http://${host}:${port}/`, [])).rejects.toMatchObject({
        code: "PRIVATE_ADDRESS",
        message: expect.stringContaining("network.allow_private"),
      });
    }
    expect(seen).toEqual([]);
  });

  test("what is allowed, and everything without a guard, is delivered", async () => {
    const { port, seen } = await serve(() => ({ status: 204 }));
    const url = `http://127.0.0.1:${port}/x`;
    await deliver(url, ["127.0.0.0/8"]);
    await deliver(url);
    await deliver(`http://localhost:${port}/y`, ["localhost"]);
    expect(seen).toEqual(["/x", "/x", "/y"]);
  });

  test("a redirect to a private host leads nowhere", async () => {
    const { port, seen } = await serve(() => ({
      status: 302,
      location: "http://169.254.169.254/",
    }));
    const url = `http://127.0.0.1:${port}/`;
    await expect(deliver(url, ["127.0.0.1"])).rejects.toMatchObject({ code: "ACTOR_FAILED" });
    expect(seen).toEqual(["/"]);
  });
});
