import { gzipSync } from "node:zlib";
import type { Source } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { type HttpEvent, receiveRequest } from "./receive.ts";

/** A source that takes anything, and what its requests get. */
async function requested(headers: Record<string, string>, open: boolean) {
  const published: string[] = [];
  const event: HttpEvent = {
    rawPath: "/prod/webhook/hook",
    rawQueryString: "",
    headers,
    body: "{}",
    isBase64Encoded: false,
    requestContext: { http: { method: "POST" } },
  };
  const draft = { provenance: { platform: "test" }, payload: {} };
  const { statusCode, body } = await receiveRequest(event, {
    openSource: async () => ({ receive: async () => [draft] }),
    takesFromPages: (id) => id === "hook" && open,
    publish: async (id) => {
      published.push(id);
      return { events: [], unfit: [] };
    },
    flow: { log: () => undefined, count: () => undefined },
    mask: (text) => text,
  });
  return { statusCode, published, body };
}

/** A source that keeps what its requests mean. */
async function received(encoding: string, sent: Buffer) {
  const contents: string[] = [];
  const source: Source = {
    async receive({ body, content }) {
      contents.push(Buffer.from((await content?.()) ?? body).toString());
      return [];
    },
  };
  const event: HttpEvent = {
    rawPath: "/webhook/hook",
    rawQueryString: "",
    headers: { "Content-Encoding": encoding },
    body: sent.toString("base64"),
    isBase64Encoded: true,
    requestContext: { http: { method: "POST" } },
  };
  const { statusCode } = await receiveRequest(event, {
    openSource: async () => source,
    mask: (text) => text,
    takesFromPages: () => true,
    publish: async () => ({ events: [], unfit: [] }),
    flow: { log: () => undefined, count: () => undefined },
  });
  return { statusCode, contents };
}

test("a gzip body is unpacked within the limit of a Lambda, other encodings are refused", async () => {
  const json = Buffer.from('{"id":12345678901234567890}');
  const taken = { statusCode: 200, contents: [json.toString()] };
  expect(await received("gzip", gzipSync(json))).toEqual(taken);
  expect(await received("identity", json)).toEqual(taken);
  const bomb = gzipSync(Buffer.alloc(6 * 1024 ** 2 + 1));
  expect(await received("gzip", bomb)).toMatchObject({ statusCode: 413 });
  expect(await received("gzip", json)).toMatchObject({ statusCode: 400 });
  expect(await received("br", json)).toEqual({ statusCode: 415, contents: [] });
});

test("what a foreign page makes a browser send is refused, unless the source is open to it", async () => {
  const evil = { Origin: "https://evil.example" };
  for (const headers of [evil, { "sec-fetch-site": "cross-site" }]) {
    const refused = await requested(headers, false);
    expect(refused).toMatchObject({ statusCode: 403, published: [] });
    expect(refused.body).toContain("public: true");
    expect(await requested(headers, true)).toMatchObject({ statusCode: 200, published: ["hook"] });
  }
  const tunnel = { host: "x.tunnel.test", "content-type": "text/plain" };
  expect(await requested(tunnel, false)).toMatchObject({ statusCode: 200 });
});
