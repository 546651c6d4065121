import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * `node relay.ts URL [LOG]`: what nobody can do without: a Node server that checks each webhook's
 * signature, answers 200 and posts the body on to URL. With LOG it is durable: it answers once the
 * body is in LOG and synced (group commit, fdatasync), and appends an ack when the post was
 * answered. It has no routes, order, retries or repeats. Prints its URL.
 */
const [target = "", logFile] = process.argv.slice(2);
const SECRET = process.env.HOOK_SECRET ?? "";

/** One write and one fdatasync for all that came while the ones before were under way. */
class GroupCommit {
  readonly #file: FileHandle;
  #lines: string[] = [];
  #next: Promise<void> | undefined;
  #current: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  append(line: string): Promise<void> {
    this.#lines.push(line);
    this.#next ??= this.#current.then(async () => {
      const batch = this.#lines.join("");
      this.#lines = [];
      this.#current = this.#next as Promise<void>;
      this.#next = undefined;
      await this.#file.write(batch);
      await this.#file.datasync();
    });
    return this.#next;
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

function post(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const sent = httpRequest(target, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", resolve);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("error", reject);
  });
}

function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const given = Buffer.from(String(request.headers["x-hub-signature-256"]));
  const due = Buffer.from(`sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`);
  return given.length === due.length && timingSafeEqual(given, due);
}

const log = logFile === undefined ? undefined : new GroupCommit(await open(logFile, "a"));
const server = createServer(async (request, response) => {
  const body = await bodyOf(request);
  if (!isSigned(request, body)) return response.writeHead(401).end();
  const id = request.headers["x-github-delivery"];
  await log?.append(`{"id":${id},"body":${body.toString()}}\n`);
  response.writeHead(200).end();
  await post(body);
  await log?.append(`{"ack":${id}}\n`);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`);
