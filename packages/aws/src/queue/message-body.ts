import { createHash } from "node:crypto";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { OrgLoopError, parseJson } from "@orgloop/sdk";

/** Bytes of UTF-8. A batch of 10 then fits into what a Lambda is invoked with (6 MB). */
const INLINE_LIMIT = 200_000;
const VERSION = 1;
/** Characters of a body that only says where its text lies: a key has at most about 150. */
const MAX_CLAIM_LENGTH = 500;

/**
 * JSON may hold these two, a message of SQS may not (SQS API, SendMessage: the characters of XML
 * 1.0).
 */
const REFUSED_BY_SQS = /[\uFFFE\uFFFF]/g;

/**
 * `{ "v": 1, ...value }` as JSON; over 200 KB it is put under `claims/` and the body is `{ "v": 1,
 * "claim_check": KEY }`. The key has `keyHint` and the text's digest: the same value twice is one
 * object.
 */
export async function wrapBody(
  value: object,
  objects: ObjectStore,
  keyHint: string,
): Promise<string> {
  const text = sqsText({ v: VERSION, ...value });
  if (Buffer.byteLength(text) <= INLINE_LIMIT) return text;
  const digest = createHash("sha256").update(text).digest("hex");
  const key = `claims/${keyHint.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 80)}-${digest}.json`;
  await objects.put(key, text);
  return JSON.stringify({ v: VERSION, claim_check: key });
}

/** JSON of what SQS takes. */
export function sqsText(value: object): string {
  return JSON.stringify(value).replace(REFUSED_BY_SQS, escaped);
}

/** Where a body's text lies that was too long for it; null: it is the text. */
export function claimCheckOf(body: string): string | null {
  if (body.length > MAX_CLAIM_LENGTH) return null;
  const { claim_check: key } = parsed(body);
  return typeof key === "string" ? key : null;
}

/**
 * What `wrapBody` was given, with its `v`. Throws `MESSAGE_UNREADABLE` where OrgLoop did not
 * write the body; what reading the object throws otherwise may pass.
 */
export async function unwrapBody(
  body: string,
  objects: Pick<ObjectStore, "get">,
): Promise<Readonly<Record<string, unknown>>> {
  const value = parsed(body);
  const key = value.claim_check;
  if (key === undefined) return value;
  if (typeof key !== "string" || !key.startsWith("claims/")) {
    throw unreadable("its claim_check is no key under claims/");
  }
  return parsed(await objects.get(key));
}

function parsed(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw unreadable("it is no JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unreadable("it is no JSON object");
  }
  const { v } = value as { v?: unknown };
  if (v !== VERSION) throw unreadable(`its v is ${JSON.stringify(v)}, not ${VERSION}`);
  return value as Record<string, unknown>;
}

function unreadable(why: string, cause?: unknown): OrgLoopError {
  const message = `a message was not sent by OrgLoop, or by a later version: ${why}`;
  return new OrgLoopError("MESSAGE_UNREADABLE", message, { cause });
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16)}`;
}

/** Text by key, for what is too long for a message. */
export interface ObjectStore {
  put(key: string, text: string): Promise<void>;
  /** Throws `OBJECT_MISSING` where nothing has the key. */
  get(key: string): Promise<string>;
}

/** The objects of a bucket. */
export function objectStore({ s3, bucket }: { s3: S3Client; bucket: string }): ObjectStore {
  return {
    async put(key, text) {
      const ContentType = "application/json";
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType }));
    },
    async get(key) {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await Body?.transformToString()) ?? "";
      } catch (error) {
        if (!(error instanceof Error && error.name === "NoSuchKey")) throw error;
        throw new OrgLoopError("OBJECT_MISSING", `s3://${bucket}/${key} does not exist`, {
          cause: error,
        });
      }
    },
  };
}
