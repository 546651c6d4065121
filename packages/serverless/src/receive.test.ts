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
      return [];
    },
    flow: { log: () => undefined, count: () => undefined },
    mask: (text) => text,
  });
  return { statusCode, published, body };
}

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
