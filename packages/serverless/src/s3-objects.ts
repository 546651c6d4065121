import { text } from "node:stream/consumers";
import { partition } from "@aws-sdk/core/client";
import type { ObjectStore } from "@orgloop/bus/sqs";
import { OrgLoopError } from "@orgloop/sdk";
import { escapeUri, HttpRequest } from "@smithy/core/protocols";
import { retryMiddleware } from "@smithy/core/retry";
import { SignatureV4 } from "@smithy/signature-v4";
import type { AwsClients } from "./aws-clients.ts";

export interface S3ObjectsOptions {
  readonly bucket: string;
  /** The configuration of a client of the SDK: region, credentials, connections and retries are its. */
  readonly config: AwsClients["dynamo"]["config"];
  /** `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_S3`: an emulator, which has no host names for buckets. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * The objects of a bucket. Two signed requests (S3, PutObject and GetObject) by the SDK's own signer, connections and retries: the
 * SDK's S3 client would be a quarter of a function's bundle. The body's SHA-256 is signed, so S3 refuses a damaged one.
 */
export function s3Objects({ bucket, config, env }: S3ObjectsOptions): ObjectStore {
  const endpoint = env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const signer = new SignatureV4({
    service: "s3",
    region: config.region,
    credentials: config.credentials,
    sha256: config.sha256,
    // S3's keys are signed as they are sent (AWS, Signature Version 4, canonical URI).
    uriEscapePath: false,
  });

  async function urlOf(key: string): Promise<URL> {
    const path = key.split("/").map(escapeUri).join("/");
    if (endpoint !== undefined) return new URL(`${endpoint.replace(/\/$/, "")}/${bucket}/${path}`);
    const region = await config.region();
    return new URL(`https://${bucket}.s3.${region}.${partition(region).dnsSuffix}/${path}`);
  }

  async function ask(method: string, key: string, body?: string): Promise<Answer> {
    const url = await urlOf(key);
    const request = new HttpRequest({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === "" ? {} : { port: Number(url.port) }),
      path: url.pathname,
      headers: {
        host: url.host,
        ...(body === undefined
          ? {}
          : {
              "content-type": "application/json",
              "content-length": String(Buffer.byteLength(body)),
            }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const send = retryMiddleware(config)(async () => {
      const { response } = await config.requestHandler.handle(
        new HttpRequest(await signer.sign(request)),
      );
      const answer: Answer = { status: response.statusCode, body: await text(response.body) };
      // The SDK tries these again.
      if (answer.status === 429 || answer.status >= 500) throw refused(method, key, answer);
      return { response, output: { $metadata: {}, answer } };
    }, {});
    return (await send({ input: {}, request })).output.answer;
  }

  const refused = (method: string, key: string, { status, body }: Answer) => {
    const why = `${status} ${element(body, "Code")} ${element(body, "Message")}`.trim();
    const error = new OrgLoopError(
      "OBJECT_REFUSED",
      `${method} s3://${bucket}/${key}: S3 said ${why}`,
    );
    return Object.assign(error, { $metadata: { httpStatusCode: status } });
  };

  return {
    async put(key, body) {
      const answer = await ask("PUT", key, body);
      if (answer.status >= 300) throw refused("PUT", key, answer);
    },
    async get(key) {
      const answer = await ask("GET", key);
      if (answer.status < 300) return answer.body;
      const cause = refused("GET", key, answer);
      if (element(answer.body, "Code") !== "NoSuchKey") throw cause;
      const message = `s3://${bucket}/${key} does not exist`;
      throw new OrgLoopError("OBJECT_MISSING", message, { cause });
    },
  };
}

/** What an element of S3's error document holds. */
const element = (xml: string, name: string): string =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
