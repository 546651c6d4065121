import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { type HttpRequest, HttpResponse } from "@smithy/core/protocols";
import { afterEach, expect, test } from "vitest";
import { s3Objects } from "./s3-objects.ts";

const SECRET = "wJalrXUtnFEMI";
const sha256 = (of: string) => createHash("sha256").update(of).digest("hex");
const hmac = (key: string | Buffer, of: string) => createHmac("sha256", key).update(of).digest();

/** The signature that S3 computes itself of what arrived (AWS, Signature Version 4 for a header). */
function signature(request: IncomingMessage, body: string): string {
  const authorization = request.headers.authorization ?? "";
  const [, scope = "", names = ""] =
    /Credential=AKID\/([^,]+), SignedHeaders=([^,]+),/.exec(authorization) ?? [];
  const headers = names.split(";").map((name) => `${name}:${request.headers[name]}\n`);
  const canonical = [request.method, request.url, "", headers.join(""), names, sha256(body)];
  const toSign = [
    "AWS4-HMAC-SHA256",
    request.headers["x-amz-date"],
    scope,
    sha256(canonical.join("\n")),
  ];
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  return hmac(key, toSign.join("\n")).toString("hex");
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A bucket as S3 answers for it; the first `failures` requests it answers with 503. */
async function bucket({ failures = 0 } = {}) {
  const objects = new Map<string, string>();
  const statuses: number[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const answer = (status: number, content = "") => {
      statuses.push(status);
      response.writeHead(status).end(content);
    };
    if (statuses.length < failures) return answer(503, "<Error><Code>SlowDown</Code></Error>");
    const signed = request.headers.authorization?.endsWith(`Signature=${signature(request, body)}`);
    if (!signed || request.headers["x-amz-content-sha256"] !== sha256(body)) {
      return answer(403, "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>");
    }
    const found = objects.get(request.url ?? "");
    if (request.method === "PUT") objects.set(request.url ?? "", body);
    else if (found === undefined) return answer(404, "<Error><Code>NoSuchKey</Code></Error>");
    answer(200, found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (secretAccessKey = SECRET) => {
    const credentials = { accessKeyId: "AKID", secretAccessKey, sessionToken: "token" };
    const client = new DynamoDBClient({ region: "eu-west-1", credentials });
    ends.push(() => client.destroy());
    const env = { AWS_ENDPOINT_URL: endpoint };
    return s3Objects({ bucket: "orgloop-test", config: client.config, env });
  };
  ends.push(() => server.close());
  return { open, objects, statuses };
}

test("what is put is got, by a key with characters that a URL escapes", async () => {
  const { open, objects } = await bucket();
  const store = open();
  const key = "claims/a b+c=ä'(1)*!/x.json";
  await store.put(key, '{"größe":1}');
  expect([...objects.keys()]).toEqual([
    "/orgloop-test/claims/a%20b%2Bc%3D%C3%A4%27%281%29%2A%21/x.json",
  ]);
  expect(await store.get(key)).toBe('{"größe":1}');
});

test("what does not exist is OBJECT_MISSING", async () => {
  const { open } = await bucket();
  await expect(open().get("events/none")).rejects.toMatchObject({
    code: "OBJECT_MISSING",
    message: "s3://orgloop-test/events/none does not exist",
  });
});

test("a bucket that is too busy is asked again", async () => {
  const { open, statuses } = await bucket({ failures: 2 });
  await open().put("a", "1");
  expect(statuses).toEqual([503, 503, 200]);
});

test("what S3 refuses says why, and is not tried again", async () => {
  const { open, statuses } = await bucket();
  await expect(open("another").put("a", "1")).rejects.toMatchObject({
    code: "OBJECT_REFUSED",
    message: "PUT s3://orgloop-test/a: S3 said 403 SignatureDoesNotMatch no",
  });
  expect(statuses).toEqual([403]);
});

test.each([
  ["eu-west-1", "orgloop-test.s3.eu-west-1.amazonaws.com"],
  ["cn-north-1", "orgloop-test.s3.cn-north-1.amazonaws.com.cn"],
])("on AWS, in %s, the bucket's host is asked by TLS", async (region, host) => {
  const asked: object[] = [];
  const requestHandler = {
    async handle(request: HttpRequest) {
      const { protocol, hostname, port, path, headers } = request;
      asked.push({ protocol, hostname, port, path, host: headers.host });
      return { response: new HttpResponse({ statusCode: 200, body: Readable.from(["{}"]) }) };
    },
  };
  const credentials = { accessKeyId: "AKID", secretAccessKey: SECRET };
  const { config } = new DynamoDBClient({ region, credentials, requestHandler });
  await s3Objects({ bucket: "orgloop-test", config, env: {} }).get("claims/x");
  const expected = { protocol: "https:", hostname: host, path: "/claims/x", host };
  expect(asked).toEqual([{ ...expected, port: undefined }]);
});
